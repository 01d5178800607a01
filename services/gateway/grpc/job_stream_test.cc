#include "services/gateway/grpc/job_stream.h"

#include <functional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

class JobStreamTest : public GatewayFixture {};

TEST_F(JobStreamTest, GenerateTellsTheWholeStory) {
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
  std::string picture;
  while (reader->Read(&event) && !event.has_finished()) {
    picture += event.picture().data();
  }
  EXPECT_EQ(event.finished().state(), v1::DONE);
  ASSERT_EQ(event.finished().result().images_size(), 1);
  EXPECT_TRUE(event.finished().result().images(0).data().empty());
  EXPECT_EQ(picture, "the picture");
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(JobStreamTest, GenerateRefusesAsSubmitDoes) {
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

TEST_F(JobStreamTest, ALeavingClientCancelsItsJobOnlyIfItSaidSo) {
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

TEST_F(JobStreamTest, AJobThatIsSomebodyElsesTooOutlivesTheClientThatLeaves) {
  v1::GenerateImagesRequest mine;
  *mine.mutable_request() = DemoRequest();
  mine.set_cancel_on_disconnect(true);
  // Opens Generate under the key, lets `between` happen and goes away.
  const auto leave = [&](const std::string& key, const std::function<void()>& between) {
    mine.mutable_request()->set_idempotency_key(key);
    const auto call = Call();
    const auto reader = images_->Generate(call.get(), mine);
    v1::GenerateEvent event;
    EXPECT_TRUE(reader->Read(&event));
    between();
    call->TryCancel();
    (void)reader->Finish();
    return event.accepted().job_id();
  };
  const auto submit = [&](const std::string& key) {
    v1::GenerateRequest request = DemoRequest();
    request.set_idempotency_key(key);
    ASSERT_TRUE(Submit(request).ok());
  };
  submit("before");
  const std::string before = leave("before", [] {});
  const std::string after = leave("after", [&] { submit("after"); });
  std::string inner;
  const std::string twice = leave("twice", [&] { inner = leave("twice", [] {}); });
  EXPECT_EQ(inner, twice);
  const std::string alone = leave("alone", [] {});
  // The cancels run beside us, in order or not; the last job's is waited for.
  const auto call = Call();
  v1::WatchRequest watch;
  watch.set_job_id(alone);
  const auto watcher = images_->Watch(call.get(), watch);
  v1::WatchEvent event;
  while (watcher->Read(&event)) {
  }
  EXPECT_EQ(event.job().state(), v1::CANCELED);
  gateway_->Shutdown();
  for (const std::string& id : {before, after, twice}) {
    EXPECT_EQ(fleet_.queue.Get(id, {})->state, queue::State::kQueued);
  }
}

TEST_F(JobStreamTest, WatchOfAnEndedJobIsItsEndAndNothingElse) {
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

TEST_F(JobStreamTest, WatchOfNothingIsAnError) {
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

}  // namespace
}  // namespace phasor::gateway
