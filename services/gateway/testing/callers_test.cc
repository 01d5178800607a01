// Who sees which job, through everything a client asks: to a client of a tenant, jobs of others do
// not exist, whether the queue or only their terminal records know them.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include "services/gateway/flow/cancel_flow.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/redrive_flow.h"
#include "services/gateway/flow/submit_flow.h"
#include "services/gateway/testing/testing_fixture.h"
#include "services/gateway/watch/picture_feed.h"
#include "services/gateway/watch/watcher_hub.h"

namespace phasor::gateway {
namespace {

const job::Caller kOwner{.tenant = "a"};
const job::Caller kStranger{.tenant = "b"};

class CallersTest : public testing::Test {
 protected:
  ~CallersTest() override { pool_.Stop(); }

  StatusOr<v1::SubmitResponse> Submit(const std::string& key, const job::Caller& caller = kOwner) {
    v1::GenerateRequest request = DemoRequest();
    request.set_idempotency_key(key);
    return std::move(submit_.SubmitAll({{&request, "", caller}}).front());
  }
  // The record of a job that the queue has never heard of.
  job::JobId OnlyInTheStore(job::State state) {
    storage::TerminalRecord record = Ended(job::MakeJobId("secret", "a", "old"), state);
    record.tenant = "a";
    EXPECT_TRUE(fleet_.store.CreateTerminal(record).ok());
    return record.id;
  }
  std::shared_ptr<Watcher> Watch(const job::JobId& id, const job::Caller& caller) {
    auto watcher = std::make_shared<Watcher>(
        id, Watcher::Options{.previews = true, .wake = [] {}, .caller = caller});
    hub_.Add(watcher);
    return watcher;
  }
  static Watcher::Item Next(Watcher* watcher) {
    for (;;) {
      if (auto item = watcher->Next()) return *std::move(item);
      absl::SleepFor(absl::Milliseconds(1));
    }
  }
  Status Pictures(const job::JobId& id, const job::Caller& caller) {
    const auto feed = std::make_shared<PictureFeed>(PictureFeed::Parts{&reader_, &cache_, &pool_},
                                                    id, std::nullopt, caller);
    Status status;
    absl::Notification came;
    feed->Next([&](StatusOr<std::optional<v1::ResultChunk>> chunk) {
      status = chunk.status();
      came.Notify();
    });
    came.WaitForNotification();
    return status;
  }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  const ModelCatalog catalog_{{{DemoCard()}}};
  JobMetrics counts_{&metrics_};
  RecordLookup records_{&fleet_.store, &metrics_};
  JobReader reader_{&fleet_.queue, &fleet_.store};
  SubmitFlow submit_{{.catalog = &catalog_,
                      .producer = &fleet_.queue,
                      .records = &records_,
                      .metrics = &counts_,
                      .secret = "secret",
                      .draw_seed = [] { return uint64_t{1}; }}};
  CancelFlow cancel_{{.reader = &reader_,
                      .producer = &fleet_.queue,
                      .maintenance = &fleet_.queue,
                      .store = &fleet_.store,
                      .clock = &fleet_.clock}};
  RedriveFlow redrive_{&fleet_.queue, &reader_};
  WorkPool pool_{{.threads = 1, .max_queued = 100}, &metrics_};
  PictureCache cache_{{.reader = &reader_, .pool = &pool_, .metrics = &metrics_}};
  WatcherHub hub_{{&reader_, &pool_, &fleet_.clock}};
};

TEST_F(CallersTest, AStrangersQuestionsAreAnsweredAsIfThereWereNoJob) {
  const job::JobId waits = Submit("waits")->job_id();
  const job::JobId stored = OnlyInTheStore(job::State::kDone);
  const Status nothing = reader_.Get(job::MakeJobId("secret", "b", "never"), kStranger).status();
  ASSERT_EQ(nothing.code(), StatusCode::kNotFound);
  for (const job::JobId& id : {waits, stored}) {
    EXPECT_EQ(reader_.Get(id, kStranger).status(), nothing);
    EXPECT_EQ(reader_.FinishedRecord(id, kStranger).status(), nothing);
    EXPECT_EQ(cancel_.Cancel(id, kStranger).status(), nothing);
    EXPECT_EQ(cancel_.CancelUnlessShared(id, kStranger).status(), nothing);
    EXPECT_EQ(redrive_.Redrive(id, kStranger).status().code(), StatusCode::kNotFound);
    EXPECT_EQ(Pictures(id, kStranger), nothing);
    EXPECT_EQ(std::get<Status>(Next(Watch(id, kStranger).get())), nothing);
    for (const job::Caller& caller : {kOwner, job::Caller{}, job::Operator()}) {
      EXPECT_EQ(reader_.Get(id, caller)->id(), id);
    }
  }
  EXPECT_EQ(reader_.Get(waits, kOwner)->state(), v1::QUEUED) << "nothing has happened to it";
}

TEST_F(CallersTest, AListHasTheCallersJobsAlone) {
  const job::JobId own = Submit("one")->job_id();
  ASSERT_TRUE(Submit("two", kStranger).ok());
  ASSERT_TRUE(Submit("three", {}).ok());
  const auto of_owner = reader_.List({}, kOwner);
  ASSERT_EQ(of_owner->jobs_size(), 1);
  EXPECT_EQ(of_owner->jobs(0).id(), own);
  EXPECT_EQ(reader_.List({}, {})->jobs_size(), 3);
  EXPECT_EQ(reader_.List({}, job::Operator())->jobs_size(), 3);
}

TEST_F(CallersTest, OneKeyOfTwoTenantsIsTwoJobs) {
  const auto first = Submit("k");
  EXPECT_NE(Submit("k", kStranger)->job_id(), first->job_id());
  const auto again = Submit("k");
  EXPECT_EQ(again->job_id(), first->job_id());
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->request().seed(), first->request().seed());
  EXPECT_EQ(fleet_.queue.Get(first->job_id(), {})->tenant, "a");
}

TEST_F(CallersTest, TheOwnerOfADeadLetterAloneRedrivesIt) {
  const job::JobId id = Submit("dies")->job_id();
  fleet_.Kill(fleet_.Take(), "broken");
  EXPECT_EQ(redrive_.Redrive(id, kStranger).status().code(), StatusCode::kNotFound);
  const auto next = redrive_.Redrive(id, kOwner);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(reader_.Get(next->id(), kStranger).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(cancel_.Cancel(next->id(), kOwner)->state(), v1::CANCELED);
}

TEST_F(CallersTest, AWatcherHearsNothingOfAStrangersJobThatOthersWatch) {
  const job::JobId id = Submit("watched")->job_id();
  const auto owner = Watch(id, kOwner);
  EXPECT_EQ(std::get<v1::Job>(Next(owner.get())).state(), v1::QUEUED);
  const auto stranger = Watch(id, kStranger);
  queue::Event progress;
  progress.id = id;
  progress.state = queue::State::kLeased;
  progress.preview = "png";
  hub_.OnEvent(progress);
  EXPECT_EQ(std::get<Status>(Next(stranger.get())).code(), StatusCode::kNotFound);
  EXPECT_EQ(stranger->Next(), std::nullopt);
  EXPECT_FALSE(std::holds_alternative<Status>(Next(owner.get()))) << "it watches on";
}

}  // namespace
}  // namespace phasor::gateway
