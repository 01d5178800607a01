#include "engine/device/counted_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <string>

#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMiB = uint64_t{1} << 20;

at::Tensor Mebibyte() { return at::empty({1 << 18}, at::kFloat); }

class CountedMemoryTest : public testing::Test {
 protected:
  CountedMemoryTest() : before_(memory_.Use().current) { memory_.ResetPeak(); }
  ~CountedMemoryTest() override {
    memory_.SetCapacity(0);
    memory_.FailAllocation(0, AllocationFailure::kOutOfMemory);
    EXPECT_EQ(memory_.Use().current.bytes, before_.bytes) << "not all that was taken came back";
  }

  uint64_t Taken(MemoryKind kind) const {
    return memory_.Use().current.of(kind) - before_.of(kind);
  }

  // The text of what is thrown, without LibTorch's backtrace.
  template <typename Error = c10::Error>
  static std::string ErrorOf(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      return error.what_without_backtrace();
    }
    return "nothing was thrown";
  }

  CountedMemory& memory_ = CountedMemory::Get();
  const BytesByKind before_;
  const c10::InferenceMode no_autograd_;
};

TEST_F(CountedMemoryTest, CountsEveryByteUntilItComesBack) {
  at::Tensor tensor = at::empty({1000}, at::kByte);
  EXPECT_EQ(Taken(MemoryKind::kActivations), 1000u);
  tensor = at::empty({3}, at::kByte);
  EXPECT_EQ(Taken(MemoryKind::kActivations), 3u);
  tensor.reset();
  EXPECT_EQ(Taken(MemoryKind::kActivations), 0u);
  EXPECT_EQ(memory_.Use().peak.total() - before_.total(), 1003u) << "both lived for a moment";
}

TEST_F(CountedMemoryTest, BlocksAreAlignedAsKernelsExpect) {
  for (const int64_t bytes : {1, 63, 64, 65, 4096, 1 << 20}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(at::empty({bytes}, at::kByte).data_ptr()) % 64, 0u);
  }
  EXPECT_EQ(at::empty({0}, at::kByte).data_ptr(), nullptr);
}

TEST_F(CountedMemoryTest, TellsKindsApartByTheScopeTheyWereTakenIn) {
  at::Tensor weights;
  {
    const MemoryScope scope(MemoryKind::kWeights);
    weights = Mebibyte();
    const MemoryScope inner(MemoryKind::kWorkspace);
    const at::Tensor workspace = Mebibyte();
    EXPECT_EQ(Taken(MemoryKind::kWorkspace), kMiB);
  }
  const at::Tensor activations = Mebibyte();
  EXPECT_EQ(Taken(MemoryKind::kWeights), kMiB);
  EXPECT_EQ(Taken(MemoryKind::kWorkspace), 0u);
  EXPECT_EQ(Taken(MemoryKind::kActivations), kMiB);
  weights.reset();
  EXPECT_EQ(Taken(MemoryKind::kWeights), 0u) << "of the kind it was taken as, whatever is now";
}

TEST_F(CountedMemoryTest, ThePeakIsSplitAsItStoodWhenTheTotalWasHighest) {
  {
    const MemoryScope scope(MemoryKind::kWeights);
    const at::Tensor gone = Mebibyte();
  }
  const at::Tensor first = Mebibyte();
  const at::Tensor second = Mebibyte();
  const BytesByKind peak = memory_.Use().peak;
  EXPECT_EQ(peak.of(MemoryKind::kWeights), before_.of(MemoryKind::kWeights));
  EXPECT_EQ(peak.total() - before_.total(), 2 * kMiB);
  memory_.ResetPeak();
  EXPECT_EQ(memory_.Use().peak.bytes, memory_.Use().current.bytes);
}

TEST_F(CountedMemoryTest, CountsWhatAConvolutionNeedsOnTheWay) {
  const at::Tensor x = at::ones({1, 16, 64, 64}), weight = at::ones({16, 16, 3, 3});
  memory_.ResetPeak();
  const uint64_t start = memory_.Use().current.total();
  const at::Tensor y = at::conv2d(x, weight, {}, 1, 1);
  EXPECT_GT(memory_.Use().peak.total() - start, y.nbytes()) << "oneDNN's own memory counts, too";
  EXPECT_EQ(memory_.Use().current.total() - start, y.nbytes());
}

TEST_F(CountedMemoryTest, BeyondTheCapacityLibTorchsOwnErrorIsThrownAndNothingIsTaken) {
  memory_.SetCapacity(memory_.Use().current.total() + 2 * kMiB);
  const at::Tensor held = Mebibyte();
  const std::string error =
      ErrorOf<c10::OutOfMemoryError>([] { at::empty({(1 << 20) + 1}, at::kByte); });
  EXPECT_THAT(error, HasSubstr("the simulated device has 1MiB of "));
  EXPECT_THAT(error, HasSubstr("1MiB were asked for"));
  EXPECT_EQ(Taken(MemoryKind::kActivations), kMiB);
  const at::Tensor last = Mebibyte();
  EXPECT_THAT(ErrorOf<c10::OutOfMemoryError>([] { at::empty({1}, at::kByte); }),
              HasSubstr("has 0B of "));
}

TEST_F(CountedMemoryTest, AnErrorLeavesAConvolutionWithNothingLost) {
  const at::Tensor x = at::ones({1, 16, 64, 64}), weight = at::ones({16, 16, 3, 3});
  const at::Tensor expected = at::conv2d(x, weight, {}, 1, 1);
  const uint64_t start = memory_.Use().current.total();
  int failures = 0;
  for (uint64_t n = 1; n < 100; ++n) {
    memory_.FailAllocation(n, AllocationFailure::kOutOfMemory);
    const std::string error = ErrorOf([&] { at::conv2d(x, weight, {}, 1, 1); });
    EXPECT_EQ(memory_.Use().current.total(), start) << n;
    if (error == "nothing was thrown") break;
    ++failures;
  }
  memory_.FailAllocation(0, AllocationFailure::kOutOfMemory);
  EXPECT_GT(failures, 1);
  EXPECT_LT(failures, 90);
  EXPECT_TRUE(at::conv2d(x, weight, {}, 1, 1).equal(expected));
}

TEST_F(CountedMemoryTest, TheNthAllocationFailsOnceWithTheErrorThatWasAskedFor) {
  const struct {
    AllocationFailure failure;
    const char* text;
  } cases[] = {{AllocationFailure::kOutOfMemory, "this allocation was to fail"},
               {AllocationFailure::kCudnn, "CUDNN_STATUS_ALLOC_FAILED"},
               {AllocationFailure::kCublas, "CUBLAS_STATUS_ALLOC_FAILED"}};
  for (const auto& test : cases) {
    memory_.FailAllocation(3, test.failure);
    const at::Tensor first = Mebibyte(), second = Mebibyte();
    EXPECT_THAT(ErrorOf([] { Mebibyte(); }), HasSubstr(test.text));
    const at::Tensor fourth = Mebibyte();
    EXPECT_EQ(Taken(MemoryKind::kActivations), 3 * kMiB);
  }
}

TEST(CountedMemoryRandomTest, AboutOneInSoManyAllocationsFailsWithEachOfTheErrors) {
  CountedMemory& memory = CountedMemory::Get();
  memory.FailAtRandom(10);
  int failed = 0, own = 0;
  for (int i = 0; i < 1000; ++i) {
    try {
      (void)memory.allocate(8);
    } catch (const c10::OutOfMemoryError&) {
      ++failed, ++own;
    } catch (const c10::Error&) {
      ++failed;
    }
  }
  memory.FailAtRandom(0);
  EXPECT_GT(failed, 50);
  EXPECT_LT(failed, 200);
  EXPECT_NEAR(own * 3, failed, 3);
  EXPECT_NO_THROW((void)memory.allocate(8));
}

}  // namespace
}  // namespace phasor::engine
