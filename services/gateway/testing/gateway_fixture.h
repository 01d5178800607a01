// A whole gateway with queue and store in memory, and a real client. One thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "common/rpc/status_convert.h"
#include "phasor/v1/admin.grpc.pb.h"
#include "phasor/v1/images.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"
#include "phasor/v1/worker.grpc.pb.h"
#include "services/gateway/gateway.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {

class GatewayFixture : public testing::Test {
 protected:
  void SetUp() override {
    auto started = StartGateway("127.0.0.1:0", "g1", FleetPorts());
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = std::move(*started);
    Connect();
  }

  // Makes the client of `gateway_`.
  void Connect() {
    auto channel = *rpc::MakeChannel({.address = gateway_->address()});
    images_ = v1::Images::NewStub(channel);
    models_ = v1::Models::NewStub(channel);
    admin_ = v1::Admin::NewStub(channel);
    report_ = v1::WorkerReport::NewStub(channel);
  }

  Gateway::Ports FleetPorts() {
    return {.producer = &fleet_.queue,
            .maintenance = &fleet_.queue,
            .control = &fleet_.queue,
            .events = &fleet_.queue,
            .store = &fleet_.store,
            .clock = &fleet_.clock,
            .metrics = &metrics_,
            .foundation = &foundation_};
  }

  static GatewayConfig ConfigOf(const std::string& listen, const std::string& name) {
    GatewayConfig config;
    config.listen = listen;
    config.audit = "off";
    config.name = name;
    config.work_threads = 4;
    config.shutdown_grace = Millis(2'000);
    return config;
  }
  static StatusOr<std::unique_ptr<Gateway>> StartGateway(const std::string& listen,
                                                         const std::string& name,
                                                         const Gateway::Ports& ports) {
    return Gateway::Start(ConfigOf(listen, name), "0123456789abcdef",
                          {{DemoCard()}, {"broken: no good"}}, ports);
  }

  // Its deadline ends a test that hangs; a sanitizer on a busy machine must not reach it.
  static std::unique_ptr<grpc::ClientContext> Call() {
    auto call = std::make_unique<grpc::ClientContext>();
    call->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
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
  queue::MemoryFoundation foundation_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<v1::Images::Stub> images_;
  std::unique_ptr<v1::Models::Stub> models_;
  std::unique_ptr<v1::Admin::Stub> admin_;
  std::unique_ptr<v1::WorkerReport::Stub> report_;
};

}  // namespace phasor::gateway
