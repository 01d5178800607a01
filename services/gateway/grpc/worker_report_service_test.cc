#include "services/gateway/grpc/worker_report_service.h"

#include <string>

#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

class WorkerReportServiceTest : public GatewayFixture {};

TEST_F(WorkerReportServiceTest, AWorkersStreamCarriesProgressUpAndCancelsDown) {
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

TEST_F(WorkerReportServiceTest, AWorkerThatDoesNotSayHelloIsSentAway) {
  const auto call = Call();
  const auto stream = report_->Report(call.get());
  v1::WorkerMessage message;
  message.mutable_stats()->set_name("w1");
  ASSERT_TRUE(stream->Write(message));
  v1::GatewayMessage command;
  EXPECT_FALSE(stream->Read(&command));
  EXPECT_EQ(stream->Finish().error_code(), grpc::FAILED_PRECONDITION);
}

}  // namespace
}  // namespace phasor::gateway
