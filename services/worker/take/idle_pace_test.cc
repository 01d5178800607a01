#include "services/worker/take/idle_pace.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

constexpr double kAlmostOne = 0.999;

TEST(IdlePaceTest, WaitsLongerTheLongerNothingComesUpToASecond) {
  IdlePace pace;
  Millis last{0};
  for (int n = 0; n < 20; ++n) {
    const Millis wait = pace.Wait(kAlmostOne);
    EXPECT_GE(wait, last);
    EXPECT_LE(wait, Millis(1'000));
    last = wait;
  }
  EXPECT_GE(last, Millis(999));
}

TEST(IdlePaceTest, BeginsAnewAfterAJob) {
  IdlePace pace;
  for (int n = 0; n < 20; ++n) (void)pace.Wait(0);
  pace.Worked();
  EXPECT_LT(pace.Wait(kAlmostOne), Millis(500));
}

TEST(IdlePaceTest, WaitsOfWorkersInStepDiffer) {
  IdlePace one, other;
  EXPECT_EQ(one.Wait(0), Millis(375));
  EXPECT_GT(other.Wait(kAlmostOne), Millis(490));
}

}  // namespace
}  // namespace phasor::worker
