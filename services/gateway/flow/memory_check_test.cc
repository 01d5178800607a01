#include "services/gateway/flow/memory_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

// Needs 10 MiB at 64x64, 40 at 128x128, 160 at 256x256; twice that with guidance.
v1::WorkerStats Worker(int64_t mib) {
  v1::WorkerStats stats;
  stats.set_memory_bound_bytes(mib * kMiB);
  stats.add_strategies(v1::FP16_FULL);
  stats.add_strategies(v1::SEQUENTIAL_OFFLOAD);
  v1::ModelNeed* need = stats.add_needs();
  need->set_model(std::string("m"));
  for (const int side : {64, 128, 256}) {
    v1::NeedAt* at = need->add_at();
    at->set_pixels(int64_t{side} * side);
    at->set_bytes(int64_t{side} * side / 4096 * 10 * kMiB);
    at->set_bytes_with_guidance(2 * at->bytes());
  }
  return stats;
}

job::GenerateSpec Spec(int width, int height, double guidance = 1) {
  job::GenerateSpec spec;
  spec.model = std::string("m");
  spec.picture.width = width;
  spec.picture.height = height;
  spec.picture.guidance_scale = guidance;
  return spec;
}

TEST(MemoryCheckTest, RefusesWhatNoWorkerHoldsWithTheNumbers) {
  const Status status = CheckMemory(Spec(256, 256), 8, {Worker(20), Worker(50)});
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(status), HasSubstr("a picture of 256x256 needs at least 160MiB"));
  EXPECT_THAT(Message(status), HasSubstr("the largest worker has 50MiB"));
  EXPECT_THAT(Message(status), HasSubstr("the largest square picture that fits is 136x136"));
}

TEST(MemoryCheckTest, WhatItAcceptsAndWhatNot) {
  struct Case {
    std::vector<v1::WorkerStats> workers;
    job::GenerateSpec spec;
    bool fits;
    const char* why;
  };
  v1::WorkerStats silent = Worker(1);
  silent.clear_needs();
  v1::WorkerStats unbounded = Worker(0);
  job::GenerateSpec degradable = Spec(256, 256);
  degradable.allow_degradation = true;
  const Case cases[] = {
      {{}, Spec(256, 256), true, "a fleet scaled to zero"},
      {{Worker(160)}, Spec(256, 256), true, "just fits"},
      {{Worker(140)}, Spec(256, 256), true, "within what a prediction may be above"},
      {{Worker(138)}, Spec(256, 256), false, "beyond that"},
      {{Worker(138)}, Spec(512, 128), false, "what counts are pixels"},
      {{Worker(160)}, Spec(256, 256, 7.5), false, "guidance"},
      {{Worker(1), Worker(200)}, Spec(256, 256), true, "the larger one"},
      {{Worker(1), silent}, Spec(256, 256), true, "one that has not told"},
      {{Worker(1), unbounded}, Spec(256, 256), true, "one without a bound"},
      {{Worker(1)}, degradable, true, "a smaller picture is as good"},
      {{Worker(1)}, Spec(64, 64), false, "nothing fits"},
      {{Worker(200)}, Spec(1024, 1024), true, "beyond the table it is a lower bound"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(CheckMemory(one.spec, 8, one.workers).ok(), one.fits) << one.why;
  }
}

TEST(MemoryCheckTest, LiesOnALineBetweenTheSizesThatWereTold) {
  const v1::WorkerStats worker = Worker(1);
  const v1::ModelNeed& need = worker.needs(0);
  EXPECT_EQ(NeedAt(need, 64 * 64, false), 10 * kMiB);
  EXPECT_EQ(NeedAt(need, 64 * 64 + 64 * 64 * 3 / 2, false), 25 * kMiB);
  EXPECT_EQ(NeedAt(need, 1, true), 20 * kMiB);
  EXPECT_EQ(NeedAt({}, 1, true), std::nullopt);
}

TEST(MemoryCheckTest, AStrategyThatNoDeviceCanDoIsRefusedByName) {
  job::GenerateSpec spec = Spec(64, 64);
  spec.strategy = "NF4_QUANTIZED";
  const Status status = CheckMemory(spec, 8, {Worker(100)});
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(status),
            "strategy: no worker's device can do NF4_QUANTIZED; they can do AUTO, FP16_FULL, "
            "SEQUENTIAL_OFFLOAD");
  spec.strategy = "SEQUENTIAL_OFFLOAD";
  EXPECT_TRUE(CheckMemory(spec, 8, {Worker(100)}).ok());
  EXPECT_TRUE(CheckMemory(spec, 8, {}).ok());
}

}  // namespace
}  // namespace phasor::gateway
