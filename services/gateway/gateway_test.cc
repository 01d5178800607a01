#include "services/gateway/gateway.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

class GatewayTest : public GatewayFixture {};

TEST_F(GatewayTest, ListsModelsAndKnowsThemByName) {
  const auto list = Ask(models_.get(), &v1::Models::Stub::List, v1::ListModelsRequest());
  ASSERT_EQ(list->models_size(), 1);
  EXPECT_EQ(list->models(0).limits().max_size(), 512);
  EXPECT_GT(list->models(0).schedulers_size(), 3);
  EXPECT_EQ(list->models(0).parameters_size(), 0) << "one by one: they are many";
  ASSERT_EQ(list->left_out_size(), 1);
  EXPECT_EQ(list->left_out(0), "broken: no good");
  v1::GetModelRequest request;
  request.set_name("nope");
  EXPECT_EQ(Ask(models_.get(), &v1::Models::Stub::Get, request).status().code(),
            StatusCode::kNotFound);
  request.set_name("demo");
  const auto model = Ask(models_.get(), &v1::Models::Stub::Get, request);
  ASSERT_TRUE(model.ok());
  EXPECT_GT(model->parameters_size(), 10);
}

TEST_F(GatewayTest, WatchersOfTwoGatewaysHearOfTheSameEnd) {
  auto second = StartGateway("127.0.0.1:0", "g2", FleetPorts());
  ASSERT_TRUE(second.ok()) << second.status();
  const auto other = v1::Images::NewStub(*rpc::MakeChannel({.address = (*second)->address()}));
  v1::WatchRequest watch;
  watch.set_job_id(Submit()->job_id());
  const auto first_call = Call();
  const auto first = images_->Watch(first_call.get(), watch);
  const auto other_call = Call();
  const auto another = other->Watch(other_call.get(), watch);
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  for (auto* reader : {first.get(), another.get()}) {
    v1::WatchEvent event;
    while (reader->Read(&event)) {
    }
    EXPECT_EQ(event.job().state(), v1::DONE);
    EXPECT_TRUE(reader->Finish().ok());
  }
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

TEST_F(GatewayTest, EachListenerServesItsCallersAndNobodyElse) {
  GatewayConfig config;
  config.listen = config.listen_admin = config.listen_workers = "127.0.0.1:0";
  const auto apart = Gateway::Start(config, "0123456789abcdef", {{DemoCard()}, {}}, FleetPorts());
  ASSERT_TRUE(apart.ok()) << apart.status();
  const auto code = [&](Audience audience, bool operates) {
    const auto channel = *rpc::MakeChannel({.address = (*apart)->address(audience)});
    const auto admin = v1::Admin::NewStub(channel);
    const auto models = v1::Models::NewStub(channel);
    return operates ? Ask(admin.get(), &v1::Admin::Stub::Stats, v1::StatsRequest()).status().code()
                    : Ask(models.get(), &v1::Models::Stub::List, v1::ListModelsRequest())
                          .status()
                          .code();
  };
  EXPECT_EQ(code(Audience::kClients, false), StatusCode::kOk);
  EXPECT_EQ(code(Audience::kOperators, true), StatusCode::kOk);
  for (const auto& [audience, operates] :
       std::vector<std::pair<Audience, bool>>{{Audience::kClients, true},
                                              {Audience::kOperators, false},
                                              {Audience::kWorkers, false},
                                              {Audience::kWorkers, true}}) {
    EXPECT_EQ(code(audience, operates), StatusCode::kUnimplemented) << NameOf(audience);
  }
}

TEST_F(GatewayTest, ASecondGatewayOnTheSameAddressIsRefusedWithASentence) {
  const auto second = StartGateway(gateway_->address(), "g2", FleetPorts());
  EXPECT_THAT(Message(second.status()), HasSubstr(gateway_->address() + ": the address is in use"));
}

}  // namespace
}  // namespace phasor::gateway
