#include "engine/device/cuda_device.h"

#include <algorithm>
#include <exception>
#include <future>
#include <string>
#include <utility>

#include "engine/device/copy_queue.h"
#include "engine/device/counted_memory.h"
#include "engine/device/kind_ledger.h"

namespace phasor::engine {
namespace {

class LedgerListener final : public AllocationListener {
 public:
  void Allocated(uint64_t address, uint64_t bytes) override {
    ledger.Allocated(address, bytes, CountedMemory::kind());
  }
  void Freed(uint64_t address) override { ledger.Freed(address); }

  KindLedger ledger;
};

// The copying thread asks the card for the copy; whoever awaits waits for the asking alone, and the
// card's own streams wait for one another.
class CudaFence final : public Fence {
 public:
  CudaFence(at::Tensor to, at::Tensor from, CudaBackend& backend, CopyQueue& copies)
      : to_(std::move(to)), from_(std::move(from)), backend_(backend), begin_(backend.Now()) {
    asked_ = copies.Add([this] { moment_ = backend_.Copy(to_, from_, *begin_); });
  }
  // Memory that the copy writes to is not given to others before.
  ~CudaFence() override {
    try {
      Await();
    } catch (const std::exception&) {
      // Nobody wanted to know.
    }
  }

  void Await() override {
    if (!asked_.valid()) return;
    asked_.get();
    backend_.Await(*moment_);
  }

 private:
  const at::Tensor to_, from_;
  CudaBackend& backend_;
  const std::shared_ptr<CudaMoment> begin_;
  std::shared_ptr<CudaMoment> moment_;  // written by the copying thread before asked_ is ready
  std::future<void> asked_;
};

class CudaDevice final : public Device {
 public:
  CudaDevice(const Gpu& gpu, uint64_t cap_bytes, std::unique_ptr<CudaBackend> backend,
             const LibraryAllowance& libraries)
      : gpu_(gpu),
        name_("cuda:" + std::to_string(gpu.index)),
        libraries_(libraries),
        backend_(std::move(backend)) {
    Listener().ledger.SetCapacity(backend_->Open(gpu.index, cap_bytes, &Listener()));
  }

  std::string_view name() const override { return name_; }
  std::string_view kernels() const override { return "cuda"; }
  std::string Description() const override {
    return gpu_.name + " " + std::to_string(gpu_.major) + "." + std::to_string(gpu_.minor) + ", " +
           backend_->Versions();
  }
  const Gpu* card() const override { return &gpu_; }
  at::Device place() const override {
    return {at::kCUDA, static_cast<c10::DeviceIndex>(gpu_.index)};
  }
  HostMemory host_memory() const override { return HostMemory::kApart; }
  MemoryUse Memory() const override {
    MemoryUse use = Listener().ledger.Use();
    const CudaPool pool = backend_->Pool();
    use.reserved = std::max(pool.reserved, use.current.total());
    use.fragmented = std::min(pool.fragmented, use.reserved - use.current.total());
    return use;
  }
  LibraryAllowance libraries() const override { return libraries_; }
  void ResetPeak() override { Listener().ledger.ResetPeak(); }
  void EmptyCaches() override { backend_->EmptyCaches(); }
  std::unique_ptr<Fence> CopyAsync(at::Tensor to, at::Tensor from) override {
    return std::make_unique<CudaFence>(std::move(to), std::move(from), *backend_, copies_);
  }

 private:
  // Never freed: LibTorch's allocator tells it of every block until the process ends.
  static LedgerListener& Listener() {
    static auto* const listener = new LedgerListener;
    return *listener;
  }

  const Gpu gpu_;
  const std::string name_;
  const LibraryAllowance libraries_;
  const std::unique_ptr<CudaBackend> backend_;
  CopyQueue copies_;
};

}  // namespace

std::unique_ptr<Device> MakeCudaDevice(const Gpu& gpu, uint64_t cap_bytes,
                                       std::unique_ptr<CudaBackend> backend,
                                       const LibraryAllowance& libraries) {
  return std::make_unique<CudaDevice>(gpu, cap_bytes, std::move(backend), libraries);
}

}  // namespace phasor::engine
