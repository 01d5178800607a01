#include "services/gateway/grpc/admin_service.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class AdminServiceTest : public GatewayFixture {
 protected:
  using Stream = grpc::ClientReaderWriter<v1::WorkerMessage, v1::GatewayMessage>;

  // A worker that reports, until the test's end.
  Stream* Connect(const std::string& name, const std::string& job_id = "") {
    calls_.push_back(Call());
    streams_.push_back(report_->Report(calls_.back().get()));
    Stream* stream = streams_.back().get();
    v1::WorkerMessage message;
    message.mutable_hello()->set_name(name);
    message.mutable_hello()->add_models("demo");
    EXPECT_TRUE(stream->Write(message));
    message.mutable_stats()->set_state(job_id.empty() ? "idle" : "busy");
    message.mutable_stats()->set_job_id(job_id);
    EXPECT_TRUE(stream->Write(message));
    EXPECT_TRUE(Read(stream).has_welcome());
    return stream;
  }
  static v1::GatewayMessage Read(Stream* stream) {
    v1::GatewayMessage message;
    EXPECT_TRUE(stream->Read(&message));
    return message;
  }
  // Answers the next order, which it returns.
  static v1::GatewayMessage Obey(Stream* stream, int64_t freed) {
    v1::GatewayMessage order = Read(stream);
    v1::WorkerMessage answer;
    v1::OrderDone* done = answer.mutable_done();
    done->set_order(order.has_cleanup() ? order.cleanup().order() : order.preload().order());
    done->set_freed_bytes(freed);
    EXPECT_TRUE(stream->Write(answer));
    return order;
  }
  // Until the worker's statistics have arrived.
  StatusOr<v1::MigrateResponse> Migrate(const std::string& worker) {
    v1::MigrateRequest request;
    request.set_worker(worker);
    return Ask(admin_.get(), &v1::Admin::Stub::Migrate, request);
  }
  StatusOr<v1::DrainResponse> Drain(const std::string& worker) {
    v1::DrainRequest request;
    request.set_worker(worker);
    return Ask(admin_.get(), &v1::Admin::Stub::Drain, request);
  }
  StatusOr<v1::SetLimitsResponse> SetLimits(const v1::SetLimitsRequest& request) {
    return Ask(admin_.get(), &v1::Admin::Stub::SetLimits, request);
  }

  std::vector<std::unique_ptr<grpc::ClientContext>> calls_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

TEST_F(AdminServiceTest, APausedQueueRefusesUntilItIsResumed) {
  ASSERT_TRUE(Ask(admin_.get(), &v1::Admin::Stub::Pause, v1::PauseRequest()).ok());
  const Status refused = Submit().status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(rpc::RetryAfterOf(refused).has_value());
  EXPECT_TRUE(Ask(admin_.get(), &v1::Admin::Stub::Stats, v1::StatsRequest())->paused());
  ASSERT_TRUE(Ask(admin_.get(), &v1::Admin::Stub::Resume, v1::ResumeRequest()).ok());
  EXPECT_TRUE(Submit().ok());
}

TEST_F(AdminServiceTest, DrainReachesTheWorkerOfThatName) {
  Connect("w1");
  Stream* const w2 = Connect("w2");
  ASSERT_TRUE(Drain("w2").ok());
  EXPECT_TRUE(Read(w2).has_drain());
}

TEST_F(AdminServiceTest, AnUnknownWorkerIsNotFoundAndTheKnownOnesAreNamed) {
  EXPECT_THAT(Message(Drain("w3").status()), HasSubstr("none does"));
  Connect("w1");
  Connect("w2");
  for (const Status& status : {Drain("w3").status(), Migrate("w3").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kNotFound);
    EXPECT_THAT(Message(status), HasSubstr("'w3'"));
    EXPECT_THAT(Message(status), HasSubstr("w1, w2"));
  }
}

TEST_F(AdminServiceTest, MigrateAsksForTheJobAndForARest) {
  const std::string id = Submit()->job_id();
  Stream* const worker = Connect("w1", id);
  StatusOr<v1::MigrateResponse> moved = Migrate("w1");
  while (moved.status().code() == StatusCode::kFailedPrecondition) moved = Migrate("w1");
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->job_id(), id);
  const v1::GatewayMessage command = Read(worker);
  EXPECT_EQ(command.preempt().job_id(), id);
  EXPECT_GT(command.preempt().rest_seconds(), 1);
}

TEST_F(AdminServiceTest, AnIdleWorkerHasNothingToMigrate) {
  Connect("w1");
  EXPECT_EQ(Migrate("w1").status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(AdminServiceTest, CleanupLetsGoWhatIsDueAndSaysSo) {
  const std::string id = Submit()->job_id();
  ASSERT_TRUE(fleet_.store.Put(storage::CheckpointKey(id, 1, 5), "bytes").ok());
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  const auto answer = Ask(admin_.get(), &v1::Admin::Stub::Cleanup, v1::CleanupRequest());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->store().checkpoints(), 1);
  EXPECT_EQ(answer->store().orphans(), 0);
  EXPECT_EQ(Get(id)->state(), v1::DONE);
}

TEST_F(AdminServiceTest, CleanupOfAWorkerSaysWhatItFreed) {
  v1::CleanupRequest request;
  request.set_worker("w1");
  const auto clean_up = [&] { return Ask(admin_.get(), &v1::Admin::Stub::Cleanup, request); };
  EXPECT_EQ(clean_up().status().code(), StatusCode::kNotFound);
  Stream* const worker = Connect("w1");
  std::jthread obeys([&] { Obey(worker, 1234); });
  const auto answer = clean_up();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->freed_bytes(), 1234);
  EXPECT_FALSE(answer->has_store()) << "the store is another matter";
}

TEST_F(AdminServiceTest, AModelIsLoadedWhereItIsAskedForAndUnloadedEverywhere) {
  v1::LoadModelRequest load;
  load.set_name("demo");
  const auto ask = [&] { return Ask(models_.get(), &v1::Models::Stub::Load, load); };
  EXPECT_EQ(ask().status().code(), StatusCode::kFailedPrecondition) << "no worker";
  Stream* const worker = Connect("w1");
  load.set_worker("w2");
  EXPECT_EQ(ask().status().code(), StatusCode::kNotFound);
  load.set_worker("w1");
  load.set_pin(true);
  v1::GatewayMessage order;
  {
    std::jthread obeys([&] { order = Obey(worker, 0); });
    const auto model = ask();
    ASSERT_TRUE(model.ok()) << model.status();
    EXPECT_EQ(model->name(), "demo");
  }
  EXPECT_EQ(order.preload().model(), "demo");
  EXPECT_TRUE(order.preload().pin());
  load.set_name("nothing");
  EXPECT_EQ(ask().status().code(), StatusCode::kNotFound);
  v1::UnloadModelRequest unload;
  unload.set_name("demo");
  EXPECT_TRUE(Ask(models_.get(), &v1::Models::Stub::Unload, unload).ok()) << "nobody holds it";
  v1::PreloadModelRequest preload;
  preload.set_name("demo");
  preload.set_workers(2);
  EXPECT_EQ(Ask(models_.get(), &v1::Models::Stub::Preload, preload).status().code(),
            StatusCode::kFailedPrecondition);
  preload.set_workers(1);
  EXPECT_TRUE(Ask(models_.get(), &v1::Models::Stub::Preload, preload).ok());
  EXPECT_EQ(Read(worker).preload().order(), 0) << "nobody waits";
}

TEST_F(AdminServiceTest, APictureThatFitsNoWorkerIsRefusedUnlessItsKeyIsKnown) {
  v1::GenerateRequest request = DemoRequest();
  request.set_idempotency_key("known");
  ASSERT_TRUE(Submit(request).ok()) << "a fleet without workers refuses nothing";
  Stream* const worker = Connect("w1");
  v1::WorkerMessage message;
  v1::WorkerStats* stats = message.mutable_stats();
  stats->set_state("idle");
  stats->set_memory_bound_bytes(1 << 20);
  v1::ModelNeed* need = stats->add_needs();
  need->set_model("demo");
  v1::NeedAt* at = need->add_at();
  at->set_pixels(64);
  at->set_bytes(int64_t{1} << 30);
  at->set_bytes_with_guidance(int64_t{1} << 30);
  ASSERT_TRUE(worker->Write(message));
  const auto bounded = [&] {
    const auto all = Ask(admin_.get(), &v1::Admin::Stub::Stats, v1::StatsRequest());
    return all.ok() && all->workers_size() == 1 && all->workers(0).memory_bound_bytes() > 0;
  };
  while (!bounded()) std::this_thread::yield();
  const Status refused = Submit().status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(refused), HasSubstr("needs at least 1GiB"));
  EXPECT_TRUE(Submit(request).ok()) << "it was accepted before";
  request.set_idempotency_key("new");
  EXPECT_EQ(Submit(request).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(AdminServiceTest, LimitsAreShownChangedAndCheckedWhole) {
  const auto before = SetLimits({});
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_EQ(before->queue().max_jobs(), queue::QueueLimits().max_jobs);
  v1::SetLimitsRequest request;
  request.mutable_queue()->set_max_jobs(1);
  const auto after = SetLimits(request);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->queue().max_jobs(), 1);
  EXPECT_EQ(after->queue().max_tries(), before->queue().max_tries());
  EXPECT_TRUE(Submit().ok());
  EXPECT_EQ(Submit().status().code(), StatusCode::kResourceExhausted);
  request.mutable_queue()->set_max_jobs(5);
  request.mutable_queue()->set_max_tries(0);
  const Status refused = SetLimits(request).status();
  EXPECT_EQ(rpc::FieldViolationsOf(refused)[0].field, "queue.max_tries");
  request.Clear();
  request.mutable_queue()->set_max_jobs(5);
  request.mutable_tenant()->set_weight(0);
  EXPECT_EQ(rpc::FieldViolationsOf(SetLimits(request).status())[0].field, "tenant.weight");
  EXPECT_EQ(SetLimits({})->queue().max_jobs(), 1) << "nothing of a refused request is done";
}

TEST_F(AdminServiceTest, ATenantsLimitHoldsForItAndGoesAgain) {
  v1::SetLimitsRequest request;
  request.mutable_tenant()->set_max_open(1);
  ASSERT_TRUE(SetLimits(request).ok());
  EXPECT_TRUE(Submit().ok());
  EXPECT_EQ(Submit().status().code(), StatusCode::kResourceExhausted);
  request.mutable_tenant()->clear_max_open();
  ASSERT_TRUE(SetLimits(request).ok());
  EXPECT_TRUE(Submit().ok());
}

TEST_F(AdminServiceTest, DeadLettersComeInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Submit()->job_id());
    fleet_.Kill(fleet_.Take(), "reason " + std::to_string(i));
    fleet_.clock.Advance(Millis(10));
  }
  ASSERT_TRUE(Submit().ok());
  std::vector<std::string> seen;
  v1::DeadLettersRequest request;
  request.set_page_size(2);
  do {
    const auto page = Ask(admin_.get(), &v1::Admin::Stub::DeadLetters, request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->jobs_size(), 2);
    for (const v1::Job& job : page->jobs()) {
      EXPECT_EQ(job.state(), v1::FAILED);
      seen.push_back(job.id() + " " + job.error().message());
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_THAT(seen, ElementsAre(ids[2] + " reason 2", ids[1] + " reason 1", ids[0] + " reason 0"));
  request.set_page_size(5000);
  EXPECT_EQ(
      rpc::FieldViolationsOf(Ask(admin_.get(), &v1::Admin::Stub::DeadLetters, request).status())[0]
          .field,
      "page_size");
}

}  // namespace
}  // namespace phasor::gateway
