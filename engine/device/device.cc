#include "engine/device/device.h"

#include <malloc.h>

#include <atomic>
#include <future>
#include <optional>
#include <utility>

#include "engine/cuda/driver.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/device/copy_queue.h"
#include "engine/device/counted_memory.h"
#include "engine/device/cuda_device.h"

namespace phasor::engine {
namespace {

std::atomic<bool> simulating = false;

class HostFence final : public Fence {
 public:
  // The work has no hold on the tensors, for it may live a moment longer than the fence.
  HostFence(at::Tensor to, at::Tensor from, CopyQueue& copies)
      : to_(std::move(to)),
        from_(std::move(from)),
        done_(copies.Add([this] { to_.copy_(from_); })) {}
  ~HostFence() override {
    if (done_.valid()) done_.wait();
  }
  void Await() override {
    if (done_.valid()) done_.get();
  }

 private:
  const at::Tensor to_, from_;
  std::future<void> done_;
};

class CpuDevice : public Device {
 public:
  explicit CpuDevice(uint64_t library_bytes) : libraries_{.products = library_bytes} {}
  std::string_view name() const override { return "cpu"; }
  at::Device place() const override { return at::kCPU; }
  std::unique_ptr<Fence> CopyAsync(at::Tensor to, at::Tensor from) override {
    if (!copies_) copies_.emplace();
    return std::make_unique<HostFence>(std::move(to), std::move(from), *copies_);
  }
  HostMemory host_memory() const override { return HostMemory::kShared; }
  MemoryUse Memory() const override { return CountedMemory::Get().Use(); }
  LibraryAllowance libraries() const override { return libraries_; }
  void ResetPeak() override { CountedMemory::Get().ResetPeak(); }
  void EmptyCaches() override { ::malloc_trim(0); }

 private:
  const LibraryAllowance libraries_;
  std::optional<CopyQueue> copies_;  // from the first copy on
};

class SimulatedDevice final : public CpuDevice {
 public:
  SimulatedDevice(uint64_t vram_bytes, uint64_t library_bytes) : CpuDevice(library_bytes) {
    CountedMemory::Get().SetCapacity(vram_bytes);
  }
  ~SimulatedDevice() override {
    CountedMemory::Get().SetCapacity(0);
    CountedMemory::Get().FailAtRandom(0);
    simulating = false;
  }
  std::string_view name() const override { return "sim"; }
  HostMemory host_memory() const override { return HostMemory::kApart; }
};

}  // namespace

StatusOr<std::unique_ptr<Device>> MakeDevice(const std::string& name, uint64_t vram_bytes,
                                             std::optional<uint64_t> library_bytes) {
  CountedMemory::Get();
  if (name == "cpu") {
    if (vram_bytes > 0) return InvalidArgument("vram: the device cpu has no size of its own");
    return std::unique_ptr<Device>(std::make_unique<CpuDevice>(library_bytes.value_or(0)));
  }
  const auto card = ParseCudaDevice(name);
  if (!card.ok()) return Annotate(card.status(), "device");
  if (*card) {
    ASSIGN_OR_RETURN(const Gpu gpu, FindGpu(name));
    StatusOr<std::unique_ptr<CudaBackend>> backend = LoadCudaBackend();
    if (!backend.ok()) return Annotate(backend.status(), "device " + name);
    const LibraryAllowance libraries =
        library_bytes ? LibraryAllowance{.products = *library_bytes} : CudaLibraries();
    return MakeCudaDevice(gpu, vram_bytes, *std::move(backend), libraries);
  }
  if (name != "sim") return InvalidArgument("device: must be cpu, sim or cuda:N, got " + name);
  if (simulating.exchange(true)) {
    return FailedPrecondition("device: this process simulates a device already");
  }
  return std::unique_ptr<Device>(
      std::make_unique<SimulatedDevice>(vram_bytes, library_bytes.value_or(0)));
}

}  // namespace phasor::engine
