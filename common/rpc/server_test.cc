#include "common/rpc/server.h"

#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include "common/rpc/channel.h"
#include "common/rpc/status_convert.h"
#include "grpc/health/v1/health.grpc.pb.h"
#include "phasor/v1/models.grpc.pb.h"

namespace phasor::rpc {
namespace {

using testing::HasSubstr;

// Answers Get with the name asked for; refuses the empty one.
class EchoModels final : public v1::Models::CallbackService {
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* call,
                                const v1::GetModelRequest* request, v1::Model* reply) override {
    reply->set_name(request->name());
    auto* reactor = call->DefaultReactor();
    reactor->Finish(request->name().empty() ? ToGrpc(InvalidFields({{"name", "is missing"}}))
                                            : grpc::Status::OK);
    return reactor;
  }
};

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Server::Start({.address = "127.0.0.1:0",
                                  .max_receive_bytes = 1000,
                                  .names = {v1::Models::service_full_name()},
                                  .metrics = &metrics_},
                                 {&service_});
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
    stub_ = v1::Models::NewStub(*MakeChannel({.address = server_->address()}));
  }

  Status Get(const std::string& name) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::GetModelRequest request;
    request.set_name(name);
    v1::Model reply;
    return FromGrpc(stub_->Get(&call, request, &reply));
  }

  metrics::Registry metrics_;
  EchoModels service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::Models::Stub> stub_;
};

TEST_F(ServerTest, ServesOverTheHousesChannelAndSendsRichErrors) {
  EXPECT_TRUE(Get("demo").ok());
  const Status refused = Get("");
  EXPECT_EQ(refused.code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(FieldViolationsOf(refused).size(), 1u);
  EXPECT_EQ(FieldViolationsOf(refused)[0].field, "name");
}

// "SERVING", "NOT_SERVING", or the code of the refusal.
std::string HealthOf(const std::string& address, const std::string& name) {
  const auto stub = grpc::health::v1::Health::NewStub(*MakeChannel({.address = address}));
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  grpc::health::v1::HealthCheckRequest request;
  request.set_service(name);
  grpc::health::v1::HealthCheckResponse reply;
  const Status asked = FromGrpc(stub->Check(&call, request, &reply));
  if (!asked.ok()) return absl::StatusCodeToString(asked.code());
  return grpc::health::v1::HealthCheckResponse::ServingStatus_Name(reply.status());
}

TEST_F(ServerTest, HealthIsToldByNameAndLivenessDoesNotWaitForReadiness) {
  const std::vector<std::string> waits = {"", kReadiness, "phasor.v1.Models"};
  for (const std::string& name : waits) {
    EXPECT_EQ(HealthOf(server_->address(), name), "NOT_SERVING") << name;
  }
  EXPECT_EQ(HealthOf(server_->address(), kLiveness), "SERVING");
  server_->SetServing(true);
  for (const std::string& name : waits) {
    EXPECT_EQ(HealthOf(server_->address(), name), "SERVING") << name;
  }
  server_->SetServing(false);
  EXPECT_EQ(HealthOf(server_->address(), "phasor.v1.Models"), "NOT_SERVING");
  EXPECT_EQ(HealthOf(server_->address(), kLiveness), "SERVING") << "it is not ready, not dead";
  EXPECT_EQ(HealthOf(server_->address(), "phasor.v1.Images"), "NOT_FOUND") << "served elsewhere";
}

TEST_F(ServerTest, MessagesAboveTheLimitAreRefused) {
  EXPECT_EQ(Get(std::string(2000, 'x')).code(), StatusCode::kResourceExhausted);
}

TEST_F(ServerTest, CountsCallsByMethodAndCode) {
  EXPECT_TRUE(Get("demo").ok());
  EXPECT_FALSE(Get("").ok());
  server_->Shutdown(Millis(1000));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("phasor_rpc_seconds_count{code=\"OK\",method="
                              "\"/phasor.v1.Models/Get\"} 1"));
  EXPECT_THAT(text, HasSubstr("phasor_rpc_seconds_count{code=\"INVALID_ARGUMENT\",method="
                              "\"/phasor.v1.Models/Get\"} 1"));
}

// What is wrong with these names depends on the memory behind them; the labels do not.
TEST_F(ServerTest, MethodsThatNobodyServesAreOneLabel) {
  const auto channel = *MakeChannel({.address = server_->address()});
  grpc::GenericStub stub(channel);
  std::vector<std::string> methods = {"/phasor.v1.Nothing/Get",
                                      "/x",
                                      "/",
                                      "//",
                                      "/a/b/c",
                                      "/phasor.v1.Models/",
                                      "/phasor.v1.Models/Get/",
                                      "/phasor.v1.Models.Get",
                                      "/" + std::string(4000, 'n')};
  for (int i = 0; i < 30; ++i) methods.push_back("/phasor.v1.Models/Nope" + std::to_string(i));
  for (const std::string& method : methods) {
    grpc::ClientContext call;
    call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    grpc::CompletionQueue queue;
    const auto reader = stub.PrepareUnaryCall(&call, method, grpc::ByteBuffer(), &queue);
    reader->StartCall();
    grpc::ByteBuffer reply;
    grpc::Status status;
    reader->Finish(&reply, &status, nullptr);
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
    EXPECT_FALSE(status.ok()) << method;
  }
  EXPECT_TRUE(Get("demo").ok());
  server_->Shutdown(Millis(1000));
  std::istringstream lines(metrics_.Text());
  std::set<std::string> labels;
  for (std::string line; std::getline(lines, line);) {
    const size_t begin = line.find("method=\"");
    if (begin == std::string::npos) continue;
    labels.insert(line.substr(begin + 8, line.find('"', begin + 8) - begin - 8));
  }
  EXPECT_EQ(labels, (std::set<std::string>{"/phasor.v1.Models/Get", "other"}));
}

TEST_F(ServerTest, ATakenPortIsAnErrorThatNamesTheAddress) {
  EchoModels other;
  const auto second = Server::Start({.address = server_->address()}, {&other});
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(second.status()), HasSubstr(server_->address()));
  EXPECT_THAT(Message(second.status()), HasSubstr("in use"));
}

TEST(ChannelTest, AnAddressNobodyServesIsUnavailable) {
  auto stub = v1::Models::NewStub(*MakeChannel({.address = "unix:/nonexistent/phasor.sock"}));
  grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::Model reply;
  EXPECT_EQ(stub->Get(&call, v1::GetModelRequest(), &reply).error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(MakeChannel({.address = "nonsense"}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::rpc
