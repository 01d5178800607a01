#include "services/gateway/upkeep/sweep_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/queue/memory/memory_queue.h"
#include "common/storage/memory_store.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"
#include "services/gateway/upkeep/store_keeper.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

// A gateway, a store and a queue, each with a clock of its own.
class SweepClockTest : public testing::Test {
 protected:
  void Pass(Millis time) {
    for (FakeClock* clock : {&clock_, &store_clock_, &queue_clock_}) clock->Advance(time);
  }

  FakeClock clock_;
  FakeClock store_clock_;
  FakeClock queue_clock_;
  storage::MemoryStore memory_{store_clock_};
  FaultyStore store_{&memory_};
  queue::MemoryQueue queue_{queue_clock_};
  metrics::Registry metrics_;
  SweepClock sweep_clock_{&store_, &queue_, &clock_, &metrics_};
};

TEST(ClockReadingTest, OnlyWhatLiesOutsideTheTwoLooksIsADifference) {
  struct Case {
    ClockReading reading;
    int64_t ahead_ms;
  };
  for (const Case& c : {Case{{100, 100, 100}, 0}, Case{{100, 150, 200}, 0},
                        Case{{100, 90, 200}, -10}, Case{{100, 230, 200}, 30}}) {
    EXPECT_EQ(AheadBy(c.reading).count(), c.ahead_ms);
  }
}

TEST_F(SweepClockTest, ClocksThatAgreeGiveTheTimeOfTheOneThatIsBehind) {
  const int64_t now = clock_.WallMillis();
  clock_.Advance(std::chrono::seconds(100));
  store_clock_.Advance(std::chrono::seconds(50));
  EXPECT_EQ(sweep_clock_.Now().value(), now);
  Pass(std::chrono::seconds(30));
  EXPECT_EQ(sweep_clock_.Now().value(), now + 30'000);
}

TEST_F(SweepClockTest, NothingIsSweptWhileAnyOfThemIsWrong) {
  constexpr Millis kWrong = std::chrono::hours(24 * 40);
  for (FakeClock* wrong : {&clock_, &store_clock_, &queue_clock_}) {
    wrong->Advance(kWrong);
    Pass(std::chrono::minutes(1));
    const Status status = sweep_clock_.Now().status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(Message(status), HasSubstr("345"));
    EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_store_sweep_stopped 1"));
    // The others come after it.
    for (FakeClock* other : {&clock_, &store_clock_, &queue_clock_}) {
      if (other != wrong) other->Advance(kWrong);
    }
    Pass(std::chrono::minutes(1));
    EXPECT_EQ(sweep_clock_.Now().value(), clock_.WallMillis());
    EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_store_sweep_stopped 0"));
  }
}

TEST_F(SweepClockTest, ClocksThatAreBehindCountAsWell) {
  store_clock_.Advance(std::chrono::minutes(3));
  queue_clock_.Advance(std::chrono::minutes(3));
  const Status status = sweep_clock_.Now().status();
  EXPECT_THAT(Message(status), HasSubstr("the store's is 180 s ahead, the queue's is 180 s ahead"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_clock_difference_seconds{clock=\"store\"} 180"));
}

TEST_F(SweepClockTest, AFullStoreIsSweptByTheOthers) {
  store_.fault.Set(ResourceExhausted("no room"));
  EXPECT_TRUE(sweep_clock_.Now().ok());
  Pass(std::chrono::minutes(1));
  queue_clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(sweep_clock_.Now().status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(SweepClockTest, WhoDoesNotAnswerIsAskedAgain) {
  store_.fault.Set(Unavailable("away"));
  EXPECT_EQ(sweep_clock_.Now().status().code(), StatusCode::kUnavailable);
  store_.fault.Clear();
  EXPECT_TRUE(sweep_clock_.Now().ok());
  EXPECT_TRUE(storage::ListKeys(memory_, "clock")->empty()) << "nothing is left of the question";
}

TEST_F(SweepClockTest, AGatewayWhoseClockIsWrongDeletesNothing) {
  ASSERT_TRUE(memory_.CreateTerminal(Ended(job::MakeJobId("s", "", "a"), job::State::kDone)).ok());
  StoreKeeper keeper({&store_, &queue_, &clock_, &metrics_, &queue_},
                     {.policy = {.result_retention = std::chrono::hours(48),
                                 .record_retention = std::chrono::hours(96)},
                      .interval = std::chrono::hours(1)});
  clock_.Advance(std::chrono::hours(24 * 40));
  EXPECT_EQ(keeper.Tick().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(storage::ListKeys(memory_, "jobs")->size(), 1u);
  store_clock_.Advance(std::chrono::hours(24 * 40));
  queue_clock_.Advance(std::chrono::hours(24 * 40));
  Pass(std::chrono::minutes(1));
  EXPECT_TRUE(keeper.Tick().ok());
  EXPECT_TRUE(storage::ListKeys(memory_, "jobs")->empty());
}

}  // namespace
}  // namespace phasor::gateway
