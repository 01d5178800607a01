#include "services/worker/take/cordon.h"

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using job::ErrorClass;

class CordonTest : public ::testing::Test {
 protected:
  void Fail(const std::string& job, ErrorClass error = ErrorClass::kInternal) {
    cordon_.Failed(job, error, clock_.Steady());
  }
  void FailThree() {
    for (const char* job : {"a", "b", "c"}) Fail(job);
  }
  void Test(bool sound) { cordon_.Tested(sound, clock_.Steady()); }
  bool IsDue() const { return cordon_.TestIsDue(clock_.Steady()); }

  FakeClock clock_;
  Cordon cordon_{{.failures = 3, .cool_down = Millis(30'000), .longest = Millis(100'000)}};
};

TEST_F(CordonTest, ThreeDifferentJobsInARowCloseItAndATestIsDueAtOnce) {
  Fail("a");
  Fail("b", ErrorClass::kStore);
  EXPECT_FALSE(cordon_.IsClosed());
  EXPECT_FALSE(IsDue());
  Fail("c", ErrorClass::kTimeout);
  EXPECT_TRUE(cordon_.IsClosed());
  EXPECT_TRUE(IsDue());
}

TEST_F(CordonTest, OneJobThatFailsAgainAndAgainSaysNothing) {
  for (int i = 0; i < 10; ++i) Fail("a");
  EXPECT_FALSE(cordon_.IsClosed());
}

TEST_F(CordonTest, WhatIsTheJobsOwnFaultDoesNotCount) {
  for (const ErrorClass error : job::kErrorClasses) {
    Cordon cordon({.failures = 3});
    for (const char* job : {"a", "b", "c", "d"}) cordon.Failed(job, error, clock_.Steady());
    EXPECT_EQ(cordon.IsClosed(), job::BlamesNode(error)) << job::ToString(error);
  }
  Fail("a");
  Fail("b");
  Fail("bad request", ErrorClass::kBadInput);
  Fail("c");
  EXPECT_TRUE(cordon_.IsClosed()) << "nor does it speak for the worker";
}

TEST_F(CordonTest, ASuccessInBetweenBeginsAnew) {
  Fail("a");
  Fail("b");
  cordon_.Succeeded();
  Fail("c");
  Fail("d");
  EXPECT_FALSE(cordon_.IsClosed());
}

TEST_F(CordonTest, ATestThatComesOutOpensItAtOnce) {
  FailThree();
  Test(true);
  EXPECT_FALSE(cordon_.IsClosed());
  Fail("d");
  Fail("e");
  EXPECT_FALSE(cordon_.IsClosed()) << "it takes three again";
}

TEST_F(CordonTest, ATestThatFailsClosesItForTwiceAsLongEachTimeUpToALimit) {
  FailThree();
  for (const int64_t cool_down : {30'000, 60'000, 100'000, 100'000}) {
    ASSERT_TRUE(IsDue());
    Test(false);
    clock_.Advance(Millis(cool_down - 1));
    EXPECT_FALSE(IsDue());
    EXPECT_TRUE(cordon_.IsClosed());
    clock_.Advance(Millis(1));
    EXPECT_TRUE(IsDue());
    EXPECT_TRUE(cordon_.IsClosed()) << "for a test, not for a job";
  }
  Test(true);
  EXPECT_FALSE(cordon_.IsClosed());
  FailThree();
  clock_.Advance(Millis(8'000));
  Test(false);
  clock_.Advance(Millis(30'000));
  EXPECT_TRUE(IsDue()) << "the first cool-down is the short one again";
}

// Bad jobs in great number, or a fault that the test does not show.
TEST_F(CordonTest, JobsThatFailAlthoughTheTestsComeOutAreTakenMoreSlowly) {
  for (const int64_t pause : {0, 1'000, 2'000, 4'000, 8'000, 8'000, 8'000}) {
    FailThree();
    if (pause > 0) {
      clock_.Advance(Millis(pause - 1));
      EXPECT_FALSE(IsDue()) << pause;
      clock_.Advance(Millis(1));
    }
    ASSERT_TRUE(IsDue()) << pause;
    Test(true);
  }
  cordon_.Succeeded();
  FailThree();
  EXPECT_TRUE(IsDue()) << "a job came out in between";
}

TEST_F(CordonTest, ATestThatNobodyAskedForClearsNothingAndMayCloseIt) {
  Fail("a");
  Fail("b");
  Test(true);
  Fail("c");
  EXPECT_TRUE(cordon_.IsClosed());
  cordon_.Succeeded();
  Test(false);
  EXPECT_TRUE(cordon_.IsClosed());
}

}  // namespace
}  // namespace phasor::worker
