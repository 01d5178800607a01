// libphasor_cuda.so: the one place that is compiled with CUDA's headers. See cuda_backend.h.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include "engine/cuda/plugin/pinned_ring.h"
#include "engine/device/cuda_backend.h"

namespace phasor::engine {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;
using c10::CachingDeviceAllocator::TraceEntry;

class Moment final : public CudaMoment {
 public:
  explicit Moment(cudaStream_t stream) {
    C10_CUDA_CHECK(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
    const cudaError_t recorded = cudaEventRecord(event_, stream);
    if (recorded != cudaSuccess) C10_CUDA_CHECK_WARN(cudaEventDestroy(event_));
    C10_CUDA_CHECK(recorded);
  }
  ~Moment() override { C10_CUDA_CHECK_WARN(cudaEventDestroy(event_)); }
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;

  void Before(cudaStream_t stream) const {
    constexpr unsigned kNoFlags = 0;
    C10_CUDA_CHECK(cudaStreamWaitEvent(stream, event_, kNoFlags));
  }

 private:
  cudaEvent_t event_ = nullptr;
};

std::string VersionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

class Backend final : public CudaBackend {
 public:
  uint64_t Open(int index, uint64_t cap_bytes, AllocationListener* listener) override {
    index_ = static_cast<c10::DeviceIndex>(index);
    c10::cuda::set_device(index_);
    allocator::init(c10::cuda::device_count());
    size_t free = 0, total = 0;
    C10_CUDA_CHECK(cudaMemGetInfo(&free, &total));
    uint64_t bound = free;
    if (cap_bytes > 0) {
      bound = std::min<uint64_t>(cap_bytes, total);
      allocator::setMemoryFraction(static_cast<double>(bound) / static_cast<double>(total), index_);
    }
    allocator::attachAllocatorTraceTracker([index, listener](const TraceEntry& entry) {
      if (entry.device_ != index) return;
      if (entry.action_ == TraceEntry::ALLOC) listener->Allocated(entry.addr_, entry.size_);
      if (entry.action_ == TraceEntry::FREE_COMPLETED) listener->Freed(entry.addr_);
    });
    return bound;
  }

  std::shared_ptr<CudaMoment> Now() override { return std::make_shared<Moment>(Computing()); }

  std::shared_ptr<CudaMoment> Copy(const at::Tensor& to, const at::Tensor& from,
                                   const CudaMoment& begin) override {
    const c10::cuda::CUDAGuard card(index_);
    if (!ring_) ring_.emplace();
    if (!copying_) copying_ = c10::cuda::getStreamFromPool(/*isHighPriority=*/true, index_);
    const c10::cuda::CUDAStreamGuard stream(*copying_);
    static_cast<const Moment&>(begin).Before(*copying_);
    const at::Tensor host = from.contiguous();
    const bool same = host.scalar_type() == to.scalar_type() && to.is_contiguous();
    const at::Tensor raw = same ? to : at::empty(host.sizes(), host.options().device(to.device()));
    ring_->Copy(raw.mutable_data_ptr(), host.const_data_ptr(), host.nbytes(), *copying_);
    if (!same) to.copy_(raw);
    return std::make_shared<Moment>(*copying_);
  }

  void Await(const CudaMoment& moment) override {
    static_cast<const Moment&>(moment).Before(Computing());
  }

  CudaPool Pool() override {
    using c10::CachingAllocator::StatType;
    const auto stats = allocator::getDeviceStats(index_);
    const auto bytes = [](const c10::CachingAllocator::StatArray& of) {
      return static_cast<uint64_t>(of[static_cast<size_t>(StatType::AGGREGATE)].current);
    };
    return {.reserved = bytes(stats.reserved_bytes),
            .fragmented = bytes(stats.inactive_split_bytes)};
  }

  void EmptyCaches() override { allocator::emptyCache(); }

  void Synchronize() override { c10::cuda::device_synchronize(); }

  std::string Versions() override {
    int driver = 0, runtime = 0;
    C10_CUDA_CHECK(cudaDriverGetVersion(&driver));
    C10_CUDA_CHECK(cudaRuntimeGetVersion(&runtime));
    return "CUDA " + VersionText(runtime) + ", driver for " + VersionText(driver);
  }

 private:
  cudaStream_t Computing() const { return c10::cuda::getCurrentCUDAStream(index_); }

  c10::DeviceIndex index_ = 0;
  // Of the copying thread.
  std::optional<PinnedRing> ring_;
  std::optional<c10::cuda::CUDAStream> copying_;
};

}  // namespace
}  // namespace phasor::engine

extern "C" __attribute__((visibility("default"))) phasor::engine::CudaBackend* phasor_cuda_backend(
    int version) {
  if (version != phasor::engine::kCudaBackendVersion) return nullptr;
  return new phasor::engine::Backend();
}
