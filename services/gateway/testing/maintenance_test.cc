#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/flow/cancel_flow.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"
#include "services/gateway/upkeep/reaper.h"
#include "services/gateway/upkeep/sealer.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

class MaintenanceTest : public testing::Test {
 protected:
  job::JobId Submit(const std::string& key, int64_t deadline_ms = 0) {
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "", key);
    request.model = "demo";
    request.deadline_ms = deadline_ms;
    EXPECT_TRUE(fleet_.queue.Submit(request).ok());
    return request.id;
  }
  queue::State StateOf(const job::JobId& id) { return fleet_.queue.Get(id, {})->state; }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  Sealer sealer_{&fleet_.queue, &fleet_.queue, &fleet_.store, &fleet_.clock};
};

TEST_F(MaintenanceTest, TheReaperTakesBackAJobWhoseWorkerIsGone) {
  const job::JobId id = Submit("a");
  fleet_.Take();
  Reaper reaper(&fleet_.queue, &metrics_);
  ASSERT_TRUE(reaper.Tick().ok());
  EXPECT_EQ(StateOf(id), queue::State::kLeased);
  fleet_.clock.Advance(std::chrono::seconds(20));
  ASSERT_TRUE(reaper.Tick().ok());
  EXPECT_EQ(StateOf(id), queue::State::kQueued);
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_recovered_jobs_total 1"));
}

TEST_F(MaintenanceTest, TheSealerWritesTheRecordOfAnExpiredJob) {
  const job::JobId id = Submit("a", fleet_.clock.WallMillis() + 1000);
  fleet_.clock.Advance(std::chrono::seconds(2));
  ASSERT_TRUE(fleet_.queue.Recover(10).ok());
  ASSERT_EQ(StateOf(id), queue::State::kSealing);
  ASSERT_TRUE(sealer_.Tick().ok());
  EXPECT_EQ(StateOf(id), queue::State::kExpired);
  const auto record = fleet_.store.ReadTerminal(id);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->state, job::State::kExpired);
  EXPECT_FALSE(record->code.empty());
  EXPECT_EQ(record->model, "demo");
  EXPECT_EQ(record->accepted_ms, fleet_.clock.WallMillis() - 2000);
  EXPECT_EQ(record->started_ms, 0) << "nobody had it";
  ASSERT_TRUE(sealer_.Tick().ok());
}

TEST_F(MaintenanceTest, TheRecordOfAJobThatFailedSaysWhenItsLastOwnerTookIt) {
  const job::JobId id = Submit("a");
  fleet_.clock.Advance(std::chrono::seconds(1));
  const int64_t taken = fleet_.clock.WallMillis();
  const queue::Grant grant = fleet_.Take();
  fleet_.clock.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(fleet_.queue.Fail({.fence = grant.fence, .reason = "x", .code = "INTERNAL"}).ok());
  ASSERT_TRUE(sealer_.Tick().ok());
  const auto record = fleet_.store.ReadTerminal(id);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->started_ms, taken);
  EXPECT_EQ(record->accepted_ms, taken - 1000);
}

TEST_F(MaintenanceTest, TheSealerYieldsToARecordThatStands) {
  const job::JobId id = Submit("a", fleet_.clock.WallMillis() + 1000);
  ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(id, job::State::kDone)).ok());
  fleet_.clock.Advance(std::chrono::seconds(2));
  ASSERT_TRUE(fleet_.queue.Recover(10).ok());
  ASSERT_TRUE(sealer_.Tick().ok());
  EXPECT_EQ(StateOf(id), queue::State::kDone);
}

TEST_F(MaintenanceTest, TheReaperForgetsWhatEndedLongAgo) {
  const job::JobId id = Submit("a");
  ASSERT_TRUE(fleet_.queue.Cancel(id, {}).ok());
  Reaper reaper(&fleet_.queue, &metrics_);
  ASSERT_TRUE(reaper.Tick().ok());
  EXPECT_EQ(fleet_.queue.Stats()->ended, 1);
  fleet_.clock.Advance(std::chrono::hours(73));
  ASSERT_TRUE(reaper.Tick().ok());
  EXPECT_EQ(fleet_.queue.Stats()->ended, 0);
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_forgotten_jobs_total 1"));
}

TEST_F(MaintenanceTest, TheReaperForgetsAllThatIsTooMuchInOneTick) {
  for (int n = 0; n < 1'000; ++n) {
    ASSERT_TRUE(fleet_.queue.Cancel(Submit(std::to_string(n)), {}).ok());
  }
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_ended = 10}).ok());
  ASSERT_TRUE(Reaper(&fleet_.queue, &metrics_).Tick().ok());
  EXPECT_EQ(fleet_.queue.Stats()->ended, 10);
}

TEST_F(MaintenanceTest, TheSealerSealsAllThatWaitsInOneTick) {
  std::vector<job::JobId> ids;
  for (int n = 0; n < 300; ++n) {
    ids.push_back(Submit(std::to_string(n), fleet_.clock.WallMillis() + 1000));
  }
  fleet_.clock.Advance(std::chrono::seconds(2));
  while (fleet_.queue.Recover(queue::kMaxMoved).value() > 0) {
  }
  ASSERT_TRUE(sealer_.Tick().ok());
  for (const job::JobId& id : ids) EXPECT_EQ(StateOf(id), queue::State::kExpired);
}

TEST_F(MaintenanceTest, RecordsThatNobodyCanReadKeepNobodyElseWaiting) {
  std::vector<job::JobId> ids;
  for (int i = 0; i < 200; ++i) {
    ids.push_back(Submit(std::to_string(i), fleet_.clock.WallMillis() + 1000 + i));
  }
  fleet_.clock.Advance(std::chrono::seconds(2));
  while (fleet_.queue.Recover(queue::kMaxMoved).value() > 0) {
  }
  // The oldest hundred: more than a batch.
  class Unreadable final : public FaultyStore {
   public:
    using FaultyStore::FaultyStore;
    std::set<job::JobId> damaged;
    StatusOr<storage::TerminalRecord> CreateTerminal(
        const storage::TerminalRecord& record) override {
      if (damaged.count(record.id) > 0) return DataLoss("record: no JSON object");
      return FaultyStore::CreateTerminal(record);
    }
  };
  Unreadable store(&fleet_.store);
  store.damaged.insert(ids.begin(), ids.begin() + 100);
  Sealer sealer(&fleet_.queue, &fleet_.queue, &store, &fleet_.clock);
  EXPECT_EQ(sealer.Tick().code(), StatusCode::kDataLoss);
  for (int tick = 0; tick < 3; ++tick) sealer.Tick().IgnoreError();
  for (const job::JobId& id : ids) {
    const bool damaged = store.damaged.count(id) > 0;
    EXPECT_EQ(StateOf(id), damaged ? queue::State::kSealing : queue::State::kExpired);
  }
  store.damaged.clear();
  fleet_.clock.Advance(queue::kSealClaim + std::chrono::seconds(1));
  EXPECT_TRUE(sealer.Tick().ok());
  EXPECT_EQ(fleet_.queue.Stats()->sealing, 0);
}

class CancelFlowTest : public MaintenanceTest {
 protected:
  JobReader reader_{&fleet_.queue, &fleet_.store};
  CancelFlow flow_{{.reader = &reader_,
                    .producer = &fleet_.queue,
                    .maintenance = &fleet_.queue,
                    .store = &fleet_.store,
                    .clock = &fleet_.clock}};
};

TEST_F(CancelFlowTest, EndsAJobThatHasNotEnded) {
  const job::JobId id = Submit("a");
  const int64_t accepted = fleet_.clock.WallMillis();
  fleet_.clock.Advance(std::chrono::seconds(1));
  fleet_.Take();
  fleet_.clock.Advance(std::chrono::seconds(1));
  const auto job = flow_.Cancel(id, {});
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::CANCELED);
  EXPECT_EQ(StateOf(id), queue::State::kCanceled);
  const storage::TerminalRecord record = fleet_.store.ReadTerminal(id).value();
  EXPECT_EQ(record.state, job::State::kCanceled);
  EXPECT_EQ(record.model, "demo");
  EXPECT_EQ(record.accepted_ms, accepted);
  EXPECT_EQ(record.started_ms, accepted + 1000);
  EXPECT_EQ(record.finished_ms, accepted + 2000);
  EXPECT_EQ(flow_.Cancel(id, {})->state(), v1::CANCELED);
}

TEST_F(CancelFlowTest, AnswersDoneWhenTheWorkersRecordStands) {
  const job::JobId id = Submit("a");
  fleet_.Take();
  ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(id, job::State::kDone)).ok());
  EXPECT_EQ(flow_.Cancel(id, {})->state(), v1::DONE);
  EXPECT_EQ(StateOf(id), queue::State::kDone);
}

TEST_F(CancelFlowTest, WritesNoRecordForAJobThatNobodyKnows) {
  const job::JobId id = job::MakeJobId("secret", "", "none");
  EXPECT_EQ(flow_.Cancel(id, {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(fleet_.store.ReadTerminal(id).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace phasor::gateway
