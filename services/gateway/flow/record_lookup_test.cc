#include "services/gateway/flow/record_lookup.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using Steady = std::chrono::steady_clock;

job::JobId Id(int n) { return job::MakeJobId("secret", "", std::to_string(n)); }

// Answers `slow` calls only once it is let go.
class StalledStore final : public FaultyStore {
 public:
  using FaultyStore::FaultyStore;
  std::atomic<bool> stalled = true;
  std::atomic<int> asked = 0;
  absl::Notification release;

  std::vector<StatusOr<storage::TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) override {
    ++asked;
    if (stalled) release.WaitForNotification();
    return FaultyStore::ReadTerminals(ids);
  }
};

class RecordLookupTest : public testing::Test {
 protected:
  MemoryFleet fleet_;
  metrics::Registry metrics_;
  StalledStore store_{&fleet_.store};
};

TEST_F(RecordLookupTest, AnswersForEachInItsPlace) {
  store_.stalled = false;
  ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(Id(1), job::State::kDone)).ok());
  RecordLookup lookup(&store_, &metrics_);
  const auto answers = lookup.Read({Id(0), Id(1), Id(2)});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].status().code(), StatusCode::kNotFound);
  EXPECT_EQ(answers[1]->id, Id(1));
  EXPECT_EQ(answers[2].status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store_.asked, 1) << "one call for all of them";
  EXPECT_TRUE(lookup.Read({}).empty());
}

TEST_F(RecordLookupTest, AStalledStoreCostsThePatienceOnceAndIsAskedAgainWhenItAnswers) {
  RecordLookup lookup(&store_, &metrics_, {.threads = 2, .patience = Millis(200)});
  const Steady::time_point begin = Steady::now();
  for (const auto& answer : lookup.Read({Id(0), Id(1), Id(2)})) {
    EXPECT_EQ(answer.status().code(), StatusCode::kUnavailable);
  }
  EXPECT_GE(Steady::now() - begin, std::chrono::milliseconds(200));
  const Steady::time_point again = Steady::now();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(lookup.Read({Id(i)})[0].status().code(), StatusCode::kUnavailable);
  }
  // A hundred times the patience would be 20 s.
  EXPECT_LT(Steady::now() - again, std::chrono::seconds(5));
  EXPECT_LE(store_.asked, 2) << "as many as there are threads: nothing piles up behind them";
  store_.stalled = false;
  store_.release.Notify();
  // The old questions are answered by and by.
  const Steady::time_point end = Steady::now() + std::chrono::seconds(60);
  while (Steady::now() < end && lookup.Read({Id(1)})[0].status().code() != StatusCode::kNotFound) {
  }
  EXPECT_EQ(lookup.Read({Id(1)})[0].status().code(), StatusCode::kNotFound);
}

TEST_F(RecordLookupTest, MoreCallsThanMayWaitAreNotAsked) {
  RecordLookup lookup(&store_, &metrics_,
                      {.threads = 1, .max_waiting = 1, .patience = Millis(500)});
  std::vector<std::thread> callers;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back(
        [&, i] { EXPECT_EQ(lookup.Read({Id(i)})[0].status().code(), StatusCode::kUnavailable); });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(store_.asked, 1) << "one asks, one waits, and that one's patience is over";
  store_.release.Notify();
}

}  // namespace
}  // namespace phasor::gateway
