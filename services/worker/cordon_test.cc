#include "services/worker/cordon.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using job::ErrorClass;

class CordonTest : public ::testing::Test {
 protected:
  void Fail(const std::string& job, ErrorClass error = ErrorClass::kInternal) {
    cordon_.Failed(job, error, clock_.Steady());
  }
  bool IsClosed() const { return cordon_.IsClosed(clock_.Steady()); }

  FakeClock clock_;
  Cordon cordon_{{.failures = 3, .cool_down = Millis(30'000), .longest = Millis(100'000)}};
};

TEST_F(CordonTest, ThreeDifferentJobsInARowCloseIt) {
  Fail("a");
  Fail("b", ErrorClass::kStore);
  EXPECT_FALSE(IsClosed());
  Fail("c", ErrorClass::kTimeout);
  EXPECT_TRUE(IsClosed());
}

TEST_F(CordonTest, OneJobThatFailsAgainAndAgainSaysNothing) {
  for (int i = 0; i < 10; ++i) Fail("a");
  EXPECT_FALSE(IsClosed());
}

TEST_F(CordonTest, WhatIsTheJobsOwnFaultDoesNotCount) {
  for (const ErrorClass error : job::kErrorClasses) {
    Cordon cordon({.failures = 3});
    for (const char* job : {"a", "b", "c", "d"}) cordon.Failed(job, error, clock_.Steady());
    EXPECT_EQ(cordon.IsClosed(clock_.Steady()), job::BlamesNode(error)) << job::ToString(error);
  }
  Fail("a");
  Fail("b");
  Fail("bad request", ErrorClass::kBadInput);
  Fail("c");
  EXPECT_TRUE(IsClosed()) << "nor does it speak for the worker";
}

TEST_F(CordonTest, ASuccessInBetweenBeginsAnew) {
  Fail("a");
  Fail("b");
  cordon_.Succeeded();
  Fail("c");
  Fail("d");
  EXPECT_FALSE(IsClosed());
}

TEST_F(CordonTest, OpensForAProbeAndStaysOpenIfThatComesOut) {
  for (const char* job : {"a", "b", "c"}) Fail(job);
  clock_.Advance(Millis(29'999));
  EXPECT_TRUE(IsClosed());
  clock_.Advance(Millis(1));
  EXPECT_FALSE(IsClosed());
  EXPECT_TRUE(cordon_.doubts());
  cordon_.Succeeded();
  EXPECT_FALSE(cordon_.doubts());
  Fail("d");
  EXPECT_FALSE(IsClosed()) << "it takes three again";
}

TEST_F(CordonTest, AProbeThatFailsClosesItForTwiceAsLongUpToALimit) {
  for (const char* job : {"a", "b", "c"}) Fail(job);
  for (const int64_t cool_down : {60'000, 100'000, 100'000}) {
    clock_.Advance(Millis(200'000));
    Fail("probe");
    clock_.Advance(Millis(cool_down - 1));
    EXPECT_TRUE(IsClosed());
    clock_.Advance(Millis(1));
    EXPECT_FALSE(IsClosed());
  }
  cordon_.Succeeded();
  for (const char* job : {"a", "b", "c"}) Fail(job);
  clock_.Advance(Millis(30'000));
  EXPECT_FALSE(IsClosed()) << "the first cool-down is the short one again";
}

TEST_F(CordonTest, AProbeThatSaysNothingLetsTheNextOneThrough) {
  for (const char* job : {"a", "b", "c"}) Fail(job);
  clock_.Advance(Millis(30'000));
  Fail("probe", ErrorClass::kBadInput);
  EXPECT_FALSE(IsClosed());
  EXPECT_TRUE(cordon_.doubts());
}

}  // namespace
}  // namespace phasor::worker
