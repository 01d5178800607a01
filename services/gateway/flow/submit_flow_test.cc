#include "services/gateway/flow/submit_flow.h"

#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/spec_convert.h"
#include "common/rpc/status_details.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

class SubmitFlowTest : public testing::Test {
 protected:
  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request) {
    return std::move(flow_.SubmitAll({{&request, "00-trace"}}).front());
  }
  static v1::GenerateRequest WithKey(const std::string& key) {
    v1::GenerateRequest request = DemoRequest();
    request.set_idempotency_key(key);
    return request;
  }

  MemoryFleet fleet_;
  const ModelCatalog catalog_{{{DemoCard()}}};
  metrics::Registry metrics_;
  JobMetrics counts_{&metrics_};
  uint64_t next_seed_ = 100;
  RecordLookup records_{&fleet_.store, &metrics_};
  SubmitFlow flow_{{.catalog = &catalog_,
                    .producer = &fleet_.queue,
                    .records = &records_,
                    .metrics = &counts_,
                    .secret = "0123456789abcdef",
                    .draw_seed = [this] { return next_seed_++; }}};
};

TEST_F(SubmitFlowTest, QueuesTheCompleteSpecAndShowsIt) {
  const auto response = Submit(DemoRequest());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->state(), v1::QUEUED);
  EXPECT_FALSE(response->duplicate());
  EXPECT_EQ(response->request().seed(), 100);
  EXPECT_EQ(response->request().steps(), 20);
  const queue::Grant grant = fleet_.Take();
  EXPECT_EQ(grant.fence.id, response->job_id());
  const auto spec = rpc::DecodeJobSpec(grant.spec);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->spec.picture.seed, 100u);
  EXPECT_EQ(spec->trace_parent, "00-trace");
}

TEST_F(SubmitFlowTest, WithoutAKeyEveryCallIsANewJob) {
  EXPECT_NE(Submit(DemoRequest())->job_id(), Submit(DemoRequest())->job_id());
}

TEST_F(SubmitFlowTest, TheSameKeyAndBodyAreTheSameJobWithTheSameSeed) {
  const auto first = Submit(WithKey("k"));
  const auto again = Submit(WithKey("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), first->job_id());
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->request().seed(), first->request().seed());
}

TEST_F(SubmitFlowTest, TheSameKeyWithAnotherBodyIsAConflict) {
  ASSERT_TRUE(Submit(WithKey("k")).ok());
  v1::GenerateRequest other = WithKey("k");
  other.set_prompt("a blue square");
  EXPECT_EQ(Submit(other).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(SubmitFlowTest, WhatAClientDerivesFromItsClockIsNoOtherBody) {
  v1::GenerateRequest request = WithKey("k");
  request.set_deadline_ms(fleet_.clock.WallMillis() + 600'000);
  const std::string id = Submit(request)->job_id();
  request.set_deadline_ms(request.deadline_ms() + 5'000);
  EXPECT_EQ(Submit(request)->job_id(), id);
  request.clear_deadline_ms();
  request.set_deadline_in_ms(600'000);
  EXPECT_EQ(Submit(request)->job_id(), id);
  request.clear_deadline_in_ms();
  EXPECT_EQ(Submit(request)->job_id(), id);
  request.set_priority(v1::HIGH);
  EXPECT_EQ(Submit(request).status().code(), StatusCode::kAlreadyExists);
}

TEST_F(SubmitFlowTest, ARelativeDeadlineCountsFromTheSubmit) {
  v1::GenerateRequest request = WithKey("k");
  request.set_deadline_in_ms(600'000);
  const auto response = Submit(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->request().deadline_in_ms(), 600'000);
  EXPECT_EQ(fleet_.queue.Get(response->job_id(), {})->deadline_ms,
            fleet_.clock.WallMillis() + 600'000);
}

TEST_F(SubmitFlowTest, AFullQueueSaysWhenToComeBack) {
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 1}).ok());
  ASSERT_TRUE(Submit(DemoRequest()).ok());
  const Status status = Submit(DemoRequest()).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  ASSERT_TRUE(rpc::RetryAfterOf(status).has_value());
  EXPECT_GT(*rpc::RetryAfterOf(status), Millis(0));
}

// DemoCard's picture: 128 x 96, 20 steps, with guidance.
TEST_F(SubmitFlowTest, AQuotaIsNamedAndSaysWhenToComeBack) {
  constexpr int64_t kPixels = 128 * 96;
  const struct {
    std::string name;
    queue::TenantLimits limits;
  } quotas[] = {{"pixel_steps", {.pixel_steps = kPixels * 20 * 2}},
                {"prompt_bytes", {.prompt_bytes = 12}},
                {"result_bytes", {.result_bytes = 3 * kPixels}}};
  for (const auto& quota : quotas) {
    const job::Caller caller{.tenant = quota.name};
    ASSERT_TRUE(fleet_.queue.SetTenantLimits(quota.name, quota.limits).ok());
    const v1::GenerateRequest request = DemoRequest();
    const auto submit = [&] { return flow_.SubmitAll({{&request, "", caller}}).front(); };
    EXPECT_TRUE(submit().ok()) << quota.name;
    const Status status = submit().status();
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << quota.name;
    EXPECT_THAT(Message(status), HasSubstr("quota " + quota.name));
    EXPECT_GT(rpc::RetryAfterOf(status).value_or(Millis(0)), Millis(0));
    ASSERT_TRUE(fleet_.queue.SetTenantLimits(quota.name, {.max_open = 1}).ok());
    EXPECT_THAT(Message(submit().status()), HasSubstr("quota open_jobs"));
  }
}

TEST_F(SubmitFlowTest, APausedQueueIsUnavailable) {
  ASSERT_TRUE(fleet_.queue.SetPaused(true).ok());
  EXPECT_EQ(Submit(DemoRequest()).status().code(), StatusCode::kUnavailable);
}

// A queue that came back from older data knows nothing of the job: as good as another queue.
class ForgottenJobTest : public SubmitFlowTest {
 protected:
  // Submits through another gateway, whose queue is empty.
  StatusOr<v1::SubmitResponse> SubmitAgain(const v1::GenerateRequest& request) {
    return std::move(restored_flow_.SubmitAll({{&request, ""}}).front());
  }

  queue::MemoryQueue restored_{fleet_.clock};
  SubmitFlow restored_flow_{{.catalog = &catalog_,
                             .producer = &restored_,
                             .records = &records_,
                             .metrics = &counts_,
                             .secret = "0123456789abcdef",
                             .draw_seed = [] { return 7; }}};
};

TEST_F(ForgottenJobTest, ARecordAnswersInItsPlace) {
  const std::string id = Submit(WithKey("k"))->job_id();
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  const auto again = SubmitAgain(WithKey("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), id);
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->state(), v1::DONE);
  EXPECT_EQ(restored_.Stats()->live, 0);
}

TEST_F(ForgottenJobTest, TheRecordTellsARepeatFromAnotherRequest) {
  const std::string id = Submit(WithKey("k"))->job_id();
  const std::string spec = fleet_.queue.Get(id, {})->spec;
  storage::TerminalRecord record = Ended(id, job::State::kCanceled);
  record.details = rpc::EncodeDetails({}, rpc::FingerprintOf(spec));
  ASSERT_TRUE(fleet_.store.CreateTerminal(record).ok());
  v1::GenerateRequest other = WithKey("k");
  other.set_prompt("a blue square");
  EXPECT_EQ(SubmitAgain(other).status().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(SubmitAgain(WithKey("k"))->state(), v1::CANCELED);
}

TEST_F(ForgottenJobTest, ADamagedRecordIsAnEndToo) {
  const std::string id = Submit(WithKey("k"))->job_id();
  FaultyStore store(&fleet_.store);
  store.fault.Set(DataLoss("record: no JSON object"));
  RecordLookup records(&store, &metrics_);
  SubmitFlow flow({.catalog = &catalog_,
                   .producer = &restored_,
                   .records = &records,
                   .metrics = &counts_,
                   .secret = "0123456789abcdef",
                   .draw_seed = [] { return 7; }});
  const v1::GenerateRequest request = WithKey("k");
  EXPECT_EQ(flow.SubmitAll({{&request, ""}}).front().status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(restored_.Get(id, {}).status().code(), StatusCode::kNotFound);
}

TEST_F(ForgottenJobTest, APausedOrFullQueueStillAnswersForWhatHasEnded) {
  ASSERT_TRUE(Submit(WithKey("k")).ok());
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  ASSERT_TRUE(restored_.SetPaused(true).ok());
  EXPECT_EQ(SubmitAgain(WithKey("k"))->state(), v1::DONE);
  EXPECT_EQ(SubmitAgain(WithKey("l")).status().code(), StatusCode::kUnavailable);
}

TEST_F(ForgottenJobTest, WithoutARecordItIsQueuedAnewUnderTheSameId) {
  const std::string id = Submit(WithKey("k"))->job_id();
  const auto again = SubmitAgain(WithKey("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), id);
  EXPECT_FALSE(again->duplicate());
  EXPECT_EQ(restored_.Get(id, {})->state, queue::State::kQueued);
}

TEST_F(ForgottenJobTest, AfterItsTimeInTheQueueTheRecordAnswersToo) {
  const std::string id = Submit(WithKey("k"))->job_id();
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  fleet_.clock.Advance(std::chrono::hours(100));
  (void)fleet_.queue.Recover(100);
  ASSERT_EQ(fleet_.queue.Get(id, {}).status().code(), StatusCode::kNotFound);
  const auto again = Submit(WithKey("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->state(), v1::DONE);
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
}

TEST_F(SubmitFlowTest, AQueueThatKnowsAllThatWasSparesANewKeyTheStore) {
  fleet_.queue.DeclareWhole();
  FaultyStore away(&fleet_.store);
  away.fault.Set(Unavailable("the store is away"));
  RecordLookup records(&away, &metrics_);
  SubmitFlow flow({.catalog = &catalog_,
                   .producer = &fleet_.queue,
                   .records = &records,
                   .metrics = &counts_,
                   .secret = "0123456789abcdef",
                   .draw_seed = [] { return 7; }});
  const v1::GenerateRequest request = WithKey("k");
  const auto response = std::move(flow.SubmitAll({{&request, ""}}).front());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_FALSE(response->duplicate());
  EXPECT_THAT(metrics_.Text(), HasSubstr("submits_unchecked_total 0")) << "nobody asked";
  const auto spec = rpc::DecodeJobSpec(fleet_.Take().spec);
  ASSERT_TRUE(spec.ok());
  EXPECT_TRUE(spec->record_unread) << "the worker looks, in case that the queue is wrong";
}

TEST_F(SubmitFlowTest, WhatAQueueThatKnowsAllHasForgottenTheRecordAnswers) {
  fleet_.queue.DeclareWhole();
  ASSERT_TRUE(Submit(WithKey("k")).ok());
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  fleet_.clock.Advance(std::chrono::hours(100));
  ASSERT_EQ(fleet_.queue.Forget(100).value(), 1);
  const auto again = Submit(WithKey("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->state(), v1::DONE);
}

TEST_F(SubmitFlowTest, CountsWhatBecameOfEachSubmit) {
  ASSERT_TRUE(Submit(WithKey("k")).ok());
  ASSERT_TRUE(Submit(WithKey("k")).ok());
  v1::GenerateRequest other = WithKey("k");
  other.set_prompt("a blue square");
  EXPECT_FALSE(Submit(other).ok());
  other.set_width(7);
  EXPECT_FALSE(Submit(other).ok());
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 1}).ok());
  EXPECT_FALSE(Submit(DemoRequest()).ok());
  ASSERT_TRUE(fleet_.queue.SetPaused(true).ok());
  EXPECT_FALSE(Submit(DemoRequest()).ok());
  const std::string text = metrics_.Text();
  for (const char* line :
       {"submits_accepted_total{model=\"demo\"} 1", "submits_repeated_total 1",
        "refused_total{reason=\"conflict\"} 1", "refused_total{reason=\"invalid\"} 1",
        "refused_total{reason=\"queue full (jobs)\"} 1", "refused_total{reason=\"paused\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace phasor::gateway
