// The card's device on an imagined backend, whose streams are lists of what they were asked to do.
#include "engine/device/cuda_device.h"

#include <mutex>
#include <string>
#include <vector>

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Card {
  std::mutex mutex;
  std::vector<std::string> asked;
  uint64_t cap = 0;
  AllocationListener* listener = nullptr;
  bool broken = false;
  CudaPool pool;

  void Ask(std::string what) {
    const std::lock_guard lock(mutex);
    asked.push_back(std::move(what));
  }
};

struct Moment final : CudaMoment {
  explicit Moment(std::string name_) : name(std::move(name_)) {}
  const std::string name;
};

class ImaginedBackend final : public CudaBackend {
 public:
  explicit ImaginedBackend(Card& card) : card_(card) {}
  uint64_t Open(int index, uint64_t cap_bytes, AllocationListener* listener) override {
    card_.Ask("open " + std::to_string(index));
    card_.cap = cap_bytes;
    card_.listener = listener;
    return cap_bytes == 0 ? 1000 : cap_bytes;
  }
  std::shared_ptr<CudaMoment> Now() override {
    return std::make_shared<Moment>("computed " + std::to_string(moments_++));
  }
  std::shared_ptr<CudaMoment> Copy(const at::Tensor& to, const at::Tensor& from,
                                   const CudaMoment& begin) override {
    TORCH_CHECK(!card_.broken, "CUDA error: unspecified launch failure");
    card_.Ask("copy after " + static_cast<const Moment&>(begin).name);
    to.copy_(from);
    return std::make_shared<Moment>("copied " + std::to_string(copies_++));
  }
  void Await(const CudaMoment& moment) override {
    card_.Ask("compute after " + static_cast<const Moment&>(moment).name);
  }
  CudaPool Pool() override { return card_.pool; }
  void EmptyCaches() override { card_.Ask("empty"); }
  void Synchronize() override {}
  std::string Versions() override { return "CUDA 13.0"; }

 private:
  Card& card_;
  int moments_ = 0;
  int copies_ = 0;
};

class CudaDeviceTest : public testing::Test {
 protected:
  std::unique_ptr<Device> Make(uint64_t cap) {
    return MakeCudaDevice({.index = 1, .name = "Imagined", .bus_id = {}, .major = 9, .minor = 0},
                          cap, std::make_unique<ImaginedBackend>(card_));
  }
  Card card_;
};

TEST_F(CudaDeviceTest, SaysWhatItIs) {
  const auto device = Make(0);
  EXPECT_EQ(device->name(), "cuda:1");
  EXPECT_EQ(device->kernels(), "cuda");
  EXPECT_EQ(device->place(), at::Device(at::kCUDA, 1));
  EXPECT_EQ(device->Description(), "Imagined 9.0, CUDA 13.0");
  EXPECT_EQ(device->host_memory(), HostMemory::kApart);
  EXPECT_EQ(device->Memory().capacity, 1000u);
  EXPECT_EQ(Make(600)->Memory().capacity, 600u);
  EXPECT_EQ(card_.cap, 600u);
}

TEST_F(CudaDeviceTest, CountsWhatTheAllocatorTellsByKind) {
  const auto device = Make(0);
  {
    const MemoryScope scope(MemoryKind::kWeights);
    card_.listener->Allocated(0x100, 64);
  }
  card_.listener->Allocated(0x200, 32);
  device->ResetPeak();
  card_.listener->Freed(0x200);
  EXPECT_EQ(device->Memory().current.of(MemoryKind::kWeights), 64u);
  EXPECT_EQ(device->Memory().peak.of(MemoryKind::kActivations), 32u);
  card_.listener->Freed(0x100);
  device->EmptyCaches();
  EXPECT_THAT(card_.asked, ElementsAre("open 1", "empty"));
}

TEST_F(CudaDeviceTest, TellsWhatItsAllocatorKeepsAndWhatIsFreeOnlyInPieces) {
  const auto device = Make(0);
  card_.listener->Allocated(0x100, 64);
  const struct {
    CudaPool pool;
    uint64_t reserved;
    uint64_t fragmented;
  } cases[] = {{{0, 0}, 64, 0},       // it tells less than is in use
               {{64, 0}, 64, 0},      // all that it has is in use
               {{200, 0}, 200, 0},    // what is kept whole can be given back
               {{200, 36}, 200, 36},  // a block in use keeps its segment
               {{100, 90}, 100, 36}};
  for (const auto& [pool, reserved, fragmented] : cases) {
    card_.pool = pool;
    const MemoryUse use = device->Memory();
    EXPECT_EQ(use.reserved, reserved);
    EXPECT_EQ(use.fragmented, fragmented);
    EXPECT_EQ(use.taken(), 64 + fragmented);
  }
  card_.listener->Freed(0x100);
}

TEST_F(CudaDeviceTest, TellsPlansWhatItsLibrariesMayTake) {
  EXPECT_EQ(Make(0)->libraries().Of(UnitKind::kStep), 0u);
  const auto device = MakeCudaDevice({.index = 1, .name = "Imagined", .bus_id = {}}, 0,
                                     std::make_unique<ImaginedBackend>(card_),
                                     {.products = 64, .convolutions = 256});
  EXPECT_EQ(device->libraries().Of(UnitKind::kStep), 320u);
}

// A prefetch: the copy begins when what was asked before it is done, and what comes after the fence
// begins when the copy is.
TEST_F(CudaDeviceTest, CopiesBetweenWhatWasAskedBeforeAndWhatComesAfterTheFence) {
  const auto device = Make(0);
  const at::Tensor to = at::empty({8}, at::kFloat);
  const auto fence = device->CopyAsync(to, at::full({8}, 3.0f));
  const auto next = device->CopyAsync(at::empty({8}, at::kFloat), at::full({8}, 4.0f));
  fence->Await();
  fence->Await();
  next->Await();
  EXPECT_EQ(to.sum().item<float>(), 24);
  card_.asked.erase(card_.asked.begin());
  EXPECT_THAT(card_.asked,
              testing::UnorderedElementsAre("copy after computed 0", "compute after copied 0",
                                            "copy after computed 1", "compute after copied 1"));
  EXPECT_EQ(card_.asked.back(), "compute after copied 1");
}

TEST_F(CudaDeviceTest, ADroppedFenceStillKeepsItsMemoryFromOthersUntilTheCopyIsDone) {
  const auto device = Make(0);
  device->CopyAsync(at::empty({8}, at::kFloat), at::full({8}, 3.0f)).reset();
  EXPECT_THAT(card_.asked,
              ElementsAre("open 1", "copy after computed 0", "compute after copied 0"));
}

TEST_F(CudaDeviceTest, ThrowsWhatTheCopyThrew) {
  const auto device = Make(0);
  card_.broken = true;
  const auto fence = device->CopyAsync(at::empty({8}, at::kFloat), at::full({8}, 3.0f));
  EXPECT_THROW(fence->Await(), c10::Error);
  device->CopyAsync(at::empty({8}, at::kFloat), at::full({8}, 3.0f)).reset();
}

// This program has no plug-in beside it unless somebody built one.
TEST(CudaLoaderTest, SaysWhichFileIsMissing) {
  const auto backend = LoadCudaBackend();
  EXPECT_THAT(backend.ok() ? "./dev build cuda made it" : Message(backend.status()),
              HasSubstr("./dev build cuda"));
}

}  // namespace
}  // namespace phasor::engine
