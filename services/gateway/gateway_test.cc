// The whole gateway with queue and store in memory, through a real client.
#include "services/gateway/gateway.h"

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "common/rpc/status_convert.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"
#include "phasor/v1/worker.grpc.pb.h"
#include "services/gateway/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

class GatewayTest : public testing::Test {
 protected:
  void SetUp() override {
    GatewayConfig config;
    config.listen = "127.0.0.1:0";
    config.name = "g1";
    config.work_threads = 4;
    auto started = Gateway::Start(config, "0123456789abcdef", {DemoCard()},
                                  {.producer = &fleet_.queue,
                                   .maintenance = &fleet_.queue,
                                   .control = &fleet_.queue,
                                   .events = &fleet_.queue,
                                   .store = &fleet_.store,
                                   .clock = &fleet_.clock,
                                   .metrics = &metrics_});
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = std::move(*started);
    auto channel = *rpc::MakeChannel({.address = gateway_->address()});
    images_ = v1::Images::NewStub(channel);
    models_ = v1::Models::NewStub(channel);
    admin_ = v1::Admin::NewStub(channel);
    report_ = v1::WorkerReport::NewStub(channel);
  }

  static std::unique_ptr<grpc::ClientContext> Call() {
    auto call = std::make_unique<grpc::ClientContext>();
    call->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return call;
  }

  // A unary call as a StatusOr.
  template <typename Stub, typename Request, typename Reply>
  StatusOr<Reply> Ask(Stub* stub,
                      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                      const Request& request) {
    Reply reply;
    const auto call = Call();
    const Status status = rpc::FromGrpc((stub->*method)(call.get(), request, &reply));
    if (!status.ok()) return status;
    return reply;
  }

  StatusOr<v1::SubmitResponse> Submit(const v1::GenerateRequest& request = DemoRequest()) {
    v1::SubmitRequest submit;
    *submit.mutable_request() = request;
    return Ask(images_.get(), &v1::Images::Stub::Submit, submit);
  }
  StatusOr<v1::Job> Get(const std::string& id) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    return Ask(images_.get(), &v1::Images::Stub::Get, request);
  }
  StatusOr<v1::Job> Cancel(const std::string& id) {
    v1::CancelRequest request;
    request.set_job_id(id);
    return Ask(images_.get(), &v1::Images::Stub::Cancel, request);
  }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<v1::Images::Stub> images_;
  std::unique_ptr<v1::Models::Stub> models_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::WorkerReport::Stub> report_;
};

TEST_F(GatewayTest, SubmitsAndShowsAJob) {
  const auto submitted = Submit();
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  EXPECT_EQ(submitted->request().width(), 128);
  const auto job = Get(submitted->job_id());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->state(), v1::QUEUED);
  EXPECT_EQ(job->request().prompt(), "a red circle");
}

TEST_F(GatewayTest, WrongInputIsRefusedOverTheWireAndTheGatewayLivesOn) {
  using Change = std::function<void(v1::GenerateRequest*)>;
  const std::pair<const char*, Change> cases[] = {
      {"prompt", [](auto* r) { r->set_prompt(std::string(1 << 20, 'x')); }},
      {"width", [](auto* r) { r->set_width(7); }},
      {"steps", [](auto* r) { r->set_steps(0); }},
      {"steps", [](auto* r) { r->set_steps(100000); }},
      {"model", [](auto* r) { r->set_model("nope"); }},
      {"scheduler", [](auto* r) { r->set_scheduler("magic"); }},
      {"priority", [](auto* r) { r->set_priority(static_cast<v1::Priority>(99)); }},
      {"seed", [](auto* r) { r->set_seed(-1); }},
      {"guidance_scale",
       [](auto* r) { r->set_guidance_scale(std::numeric_limits<double>::quiet_NaN()); }},
  };
  for (const auto& [field, change] : cases) {
    v1::GenerateRequest request = DemoRequest();
    change(&request);
    const Status status = Submit(request).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    ASSERT_FALSE(rpc::FieldViolationsOf(status).empty()) << field;
    EXPECT_EQ(rpc::FieldViolationsOf(status)[0].field, field);
  }
  v1::GenerateRequest huge = DemoRequest();
  huge.set_prompt(std::string(5 << 20, 'x'));
  EXPECT_EQ(Submit(huge).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Submit().ok());
}

TEST_F(GatewayTest, AFullQueueTravelsWithRetryInfo) {
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 1}).ok());
  ASSERT_TRUE(Submit().ok());
  const Status status = Submit().status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(rpc::RetryAfterOf(status).has_value());
}

TEST_F(GatewayTest, GenerateTellsTheWholeStory) {
  const auto call = Call();
  v1::GenerateImagesRequest request;
  *request.mutable_request() = DemoRequest();
  request.mutable_request()->set_preview_every(5);
  const auto reader = images_->Generate(call.get(), request);
  v1::GenerateEvent event;
  ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(event.has_accepted());
  const std::string id = event.accepted().job_id();
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.progress().state(), v1::QUEUED);
  EXPECT_EQ(event.progress().queue_position(), 0);

  const queue::Grant grant = fleet_.Take();
  ASSERT_EQ(grant.fence.id, id);
  queue::Event progress;
  progress.id = id;
  progress.epoch = grant.fence.epoch;
  progress.state = queue::State::kLeased;
  progress.phase = queue::Phase::kDenoising;
  progress.step = 5;
  progress.steps = 20;
  ASSERT_TRUE(fleet_.queue.Publish(progress).ok());
  queue::Event preview = progress;
  preview.preview = "small png";
  ASSERT_TRUE(fleet_.queue.Publish(preview).ok());
  bool saw_step = false;
  bool saw_preview = false;
  while (!saw_step || !saw_preview) {
    ASSERT_TRUE(reader->Read(&event));
    saw_step = saw_step || event.progress().step() == 5;
    saw_preview = saw_preview || event.preview().png() == "small png";
  }
  ASSERT_TRUE(fleet_.Finish(grant, {"the picture"}).ok());
  while (reader->Read(&event) && !event.has_finished()) {
  }
  EXPECT_EQ(event.finished().state(), v1::DONE);
  ASSERT_EQ(event.finished().result().images_size(), 1);
  EXPECT_EQ(event.finished().result().images(0).data(), "the picture");
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(GatewayTest, GenerateRefusesAsSubmitDoes) {
  const auto call = Call();
  v1::GenerateImagesRequest request;
  request.mutable_request()->set_width(7);
  const auto reader = images_->Generate(call.get(), request);
  v1::GenerateEvent event;
  EXPECT_FALSE(reader->Read(&event));
  const Status status = rpc::FromGrpc(reader->Finish());
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(rpc::FieldViolationsOf(status)[0].field, "width");
}

TEST_F(GatewayTest, ALeavingClientCancelsItsJobOnlyIfItSaidSo) {
  const auto leave = [&](bool cancel_on_disconnect) {
    const auto call = Call();
    v1::GenerateImagesRequest request;
    *request.mutable_request() = DemoRequest();
    request.set_cancel_on_disconnect(cancel_on_disconnect);
    const auto reader = images_->Generate(call.get(), request);
    v1::GenerateEvent event;
    EXPECT_TRUE(reader->Read(&event));
    call->TryCancel();
    (void)reader->Finish();
    return event.accepted().job_id();
  };
  const std::string kept = leave(false);
  const std::string dropped = leave(true);
  // The cancel runs beside us; a watch waits for it.
  const auto call = Call();
  v1::WatchRequest watch;
  watch.set_job_id(dropped);
  const auto watcher = images_->Watch(call.get(), watch);
  v1::WatchEvent event;
  while (watcher->Read(&event)) {
  }
  EXPECT_EQ(event.job().state(), v1::CANCELED);
  EXPECT_EQ(Get(kept)->state(), v1::QUEUED);
}

TEST_F(GatewayTest, WatchOfAnEndedJobIsItsEndAndNothingElse) {
  const std::string id = Submit()->job_id();
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  const auto call = Call();
  v1::WatchRequest request;
  request.set_job_id(id);
  const auto reader = images_->Watch(call.get(), request);
  v1::WatchEvent event;
  ASSERT_TRUE(reader->Read(&event));
  EXPECT_EQ(event.job().state(), v1::DONE);
  EXPECT_TRUE(event.job().result().images(0).data().empty());
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(GatewayTest, WatchOfNothingIsAnError) {
  const std::pair<std::string, grpc::StatusCode> cases[] = {
      {"nonsense", grpc::INVALID_ARGUMENT},
      {job::MakeJobId("s", "", "none"), grpc::NOT_FOUND},
  };
  for (const auto& [id, code] : cases) {
    const auto call = Call();
    v1::WatchRequest request;
    request.set_job_id(id);
    const auto reader = images_->Watch(call.get(), request);
    v1::WatchEvent event;
    EXPECT_FALSE(reader->Read(&event));
    EXPECT_EQ(reader->Finish().error_code(), code);
  }
}

TEST_F(GatewayTest, CancelEndsAJobOnceAndForAll) {
  const std::string id = Submit()->job_id();
  EXPECT_EQ(Cancel(id)->state(), v1::CANCELED);
  EXPECT_EQ(Cancel(id)->state(), v1::CANCELED);
  EXPECT_EQ(Cancel("x").status().code(), StatusCode::kInvalidArgument);
}

TEST_F(GatewayTest, GetResultComesInChunksOfAMebibyte) {
  v1::GenerateRequest two = DemoRequest();
  two.set_images(2);
  const std::string id = Submit(two)->job_id();
  const std::string big(2'500'000, 'p');
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {big, "small"}).ok());
  const auto read = [&](std::optional<int> index, std::vector<std::string>* pictures) {
    const auto call = Call();
    v1::GetResultRequest request;
    request.set_job_id(id);
    if (index) request.set_index(*index);
    const auto reader = images_->GetResult(call.get(), request);
    v1::ResultChunk chunk;
    while (reader->Read(&chunk)) {
      if (chunk.has_image()) pictures->emplace_back();
      EXPECT_EQ(chunk.offset(), static_cast<int64_t>(pictures->back().size()));
      EXPECT_LE(chunk.data().size(), size_t{1} << 20);
      pictures->back() += chunk.data();
    }
    return rpc::FromGrpc(reader->Finish());
  };
  std::vector<std::string> pictures;
  ASSERT_TRUE(read(std::nullopt, &pictures).ok());
  EXPECT_EQ(pictures, (std::vector<std::string>{big, "small"}));
  pictures.clear();
  ASSERT_TRUE(read(1, &pictures).ok());
  EXPECT_EQ(pictures, (std::vector<std::string>{"small"}));
  EXPECT_EQ(read(2, &pictures).code(), StatusCode::kInvalidArgument);
  ASSERT_TRUE(fleet_.store.Put(fleet_.store.ReadTerminal(id)->images[1].blob, "smalL").ok());
  EXPECT_EQ(read(1, &pictures).code(), StatusCode::kDataLoss);
}

TEST_F(GatewayTest, ListsModelsAndKnowsThemByName) {
  const auto list = Ask(models_.get(), &v1::Models::Stub::List, v1::ListModelsRequest());
  ASSERT_EQ(list->models_size(), 1);
  EXPECT_EQ(list->models(0).limits().max_size(), 512);
  EXPECT_GT(list->models(0).schedulers_size(), 3);
  v1::GetModelRequest request;
  request.set_name("nope");
  EXPECT_EQ(Ask(models_.get(), &v1::Models::Stub::Get, request).status().code(),
            StatusCode::kNotFound);
}

TEST_F(GatewayTest, AWorkersStreamCarriesProgressUpAndCancelsDown) {
  const std::string id = Submit()->job_id();
  const queue::Grant grant = fleet_.Take();
  const auto call = Call();
  const auto stream = report_->Report(call.get());
  v1::WorkerMessage message;
  message.mutable_hello()->set_name("w1");
  message.mutable_hello()->add_models("demo");
  ASSERT_TRUE(stream->Write(message));
  v1::GatewayMessage command;
  ASSERT_TRUE(stream->Read(&command));
  EXPECT_EQ(command.welcome().gateway(), "g1");

  const auto watch_call = Call();
  v1::WatchRequest watch;
  watch.set_job_id(id);
  const auto watcher = images_->Watch(watch_call.get(), watch);
  v1::WatchEvent seen;
  ASSERT_TRUE(watcher->Read(&seen));
  EXPECT_EQ(seen.job().state(), v1::INITIALIZING);

  message.Clear();
  message.mutable_progress()->set_job_id(id);
  message.mutable_progress()->set_epoch(grant.fence.epoch);
  message.mutable_progress()->set_state(v1::DIFFUSION_RUNNING);
  message.mutable_progress()->set_step(3);
  ASSERT_TRUE(stream->Write(message));
  ASSERT_TRUE(watcher->Read(&seen));
  EXPECT_EQ(seen.progress().step(), 3);
  EXPECT_EQ(seen.progress().state(), v1::DIFFUSION_RUNNING);

  const auto stats = Ask(admin_.get(), &v1::Admin::Stub::Stats, v1::StatsRequest());
  ASSERT_EQ(stats->workers_size(), 1);
  EXPECT_EQ(stats->workers(0).job_id(), id);
  EXPECT_EQ(stats->queues(0).running(), 1);

  ASSERT_TRUE(Cancel(id).ok());
  ASSERT_TRUE(stream->Read(&command));
  EXPECT_EQ(command.cancel().job_id(), id);
  stream->WritesDone();
  EXPECT_FALSE(stream->Read(&command));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GatewayTest, AWorkerThatDoesNotSayHelloIsSentAway) {
  const auto call = Call();
  const auto stream = report_->Report(call.get());
  v1::WorkerMessage message;
  message.mutable_stats()->set_name("w1");
  ASSERT_TRUE(stream->Write(message));
  v1::GatewayMessage command;
  EXPECT_FALSE(stream->Read(&command));
  EXPECT_EQ(stream->Finish().error_code(), grpc::FAILED_PRECONDITION);
}

TEST_F(GatewayTest, WhatIsNotBuiltYetIsUnimplemented) {
  EXPECT_EQ(Ask(images_.get(), &v1::Images::Stub::Redrive, v1::RedriveRequest()).status().code(),
            StatusCode::kUnimplemented);
  EXPECT_EQ(Ask(admin_.get(), &v1::Admin::Stub::Pause, v1::PauseRequest()).status().code(),
            StatusCode::kUnimplemented);
  EXPECT_EQ(Ask(models_.get(), &v1::Models::Stub::Load, v1::LoadModelRequest()).status().code(),
            StatusCode::kUnimplemented);
}

TEST_F(GatewayTest, ShutdownSendsClientsAndWorkersElsewhere) {
  const auto watch_call = Call();
  v1::WatchRequest watch;
  watch.set_job_id(Submit()->job_id());
  const auto watcher = images_->Watch(watch_call.get(), watch);
  v1::WatchEvent seen;
  ASSERT_TRUE(watcher->Read(&seen));
  const auto call = Call();
  const auto stream = report_->Report(call.get());
  v1::WorkerMessage message;
  message.mutable_hello()->set_name("w1");
  ASSERT_TRUE(stream->Write(message));
  v1::GatewayMessage command;
  ASSERT_TRUE(stream->Read(&command));

  gateway_->Shutdown();
  EXPECT_FALSE(watcher->Read(&seen));
  EXPECT_EQ(watcher->Finish().error_code(), grpc::UNAVAILABLE);
  EXPECT_FALSE(stream->Read(&command));
  EXPECT_EQ(stream->Finish().error_code(), grpc::UNAVAILABLE);
}

TEST_F(GatewayTest, ASecondGatewayOnTheSameAddressIsRefusedWithASentence) {
  GatewayConfig config;
  config.listen = gateway_->address();
  metrics::Registry metrics;
  const auto second = Gateway::Start(config, "0123456789abcdef", {DemoCard()},
                                     {.producer = &fleet_.queue,
                                      .maintenance = &fleet_.queue,
                                      .control = &fleet_.queue,
                                      .events = &fleet_.queue,
                                      .store = &fleet_.store,
                                      .clock = &fleet_.clock,
                                      .metrics = &metrics});
  EXPECT_THAT(Message(second.status()), HasSubstr(config.listen + ": the address is in use"));
}

}  // namespace
}  // namespace phasor::gateway
