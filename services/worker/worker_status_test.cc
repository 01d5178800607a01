#include "services/worker/worker_status.h"

#include <functional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using ::testing::HasSubstr;

TEST(WorkerStatusTest, StateAndReadinessFollowWhatTheWorkerDoes) {
  struct Case {
    std::function<void(WorkerStatus&)> happens;
    std::string state;
    std::string not_ready;  // empty: ready
  };
  const std::vector<Case> cases = {
      {[](WorkerStatus&) {}, "starting", "starting"},
      {[](WorkerStatus& status) { status.Ready(); }, "idle", ""},
      {[](WorkerStatus& status) { status.Busy("job"); }, "busy", ""},
      {[](WorkerStatus& status) { status.Idle(); }, "idle", ""},
      {[](WorkerStatus& status) { status.SetClosed(Closed::kResting); }, "idle", ""},
      {[](WorkerStatus& status) { status.SetClosed(Closed::kMemory); }, "idle", "memory"},
      {[](WorkerStatus& status) { status.SetClosed(Closed::kCordoned); }, "cordoned", "in a row"},
      {[](WorkerStatus& status) { status.SetClosed(std::nullopt); }, "idle", ""},
      {[](WorkerStatus& status) {
         status.Busy("job");
         status.SetClosed(Closed::kOrdered);
       },
       "draining", "told to take no jobs"},
      {[](WorkerStatus& status) { status.Idle(); }, "cordoned", "told to take no jobs"},
      {[](WorkerStatus& status) { status.Draining(); }, "draining", "draining"},
  };
  FakeClock clock;
  WorkerStatus status({.name = "w1", .node = "n1", .device = "cpu"}, clock);
  for (const Case& c : cases) {
    c.happens(status);
    EXPECT_EQ(status.Stats().state(), c.state);
    EXPECT_EQ(status.Readiness().ok(), c.not_ready.empty()) << c.state;
    EXPECT_THAT(Message(status.Readiness()), HasSubstr(c.not_ready));
  }
}

TEST(WorkerStatusTest, TellsWhatItHasDoneSinceWhen) {
  FakeClock clock;
  WorkerStatus status({.name = "w1", .node = "n1", .device = "cpu"}, clock);
  clock.Advance(Millis(1'500));
  status.Busy("job");
  status.Resident({"a", "b"});
  EXPECT_EQ(status.Stats().job_id(), "job");
  status.Idle();
  const v1::WorkerStats stats = status.Stats();
  EXPECT_EQ(stats.name(), "w1");
  EXPECT_EQ(stats.node(), "n1");
  EXPECT_EQ(stats.device(), "cpu");
  EXPECT_EQ(stats.uptime_seconds(), 1.5);
  EXPECT_EQ(stats.jobs_done(), 1);
  EXPECT_EQ(stats.models_resident_size(), 2);
  EXPECT_GT(stats.memory_total_bytes(), 0);
  EXPECT_GT(stats.memory_used_bytes(), 0);
  EXPECT_EQ(stats.job_id(), "");
}

}  // namespace
}  // namespace phasor::worker
