// Row 42 of the fault table on a whole gateway: every method of every service with every kind of
// credential.
#include "services/gateway/grpc/gate.h"

#include <map>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <grpcpp/generic/generic_stub.h>

#include "common/access/memory/memory_key_store.h"
#include "common/access/methods.h"
#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using access::Role;
using access::RoleSet;

class GateTest : public GatewayFixture {
 protected:
  // Before the keys that it reads.
  ~GateTest() override { gateway_.reset(); }

  void SetUp() override {
    Gateway::Ports ports = FleetPorts();
    ports.keys = &keys_;
    draw_ = Make("a", {Role::kDraw, Role::kRead});
    read_ = Make("a", {Role::kRead});
    other_ = Make("b", {Role::kDraw, Role::kRead});
    operate_ = Make("", {Role::kOperate});
    work_ = Make("", {Role::kWork});
    auto started = StartGateway("127.0.0.1:0", "g1", ports);
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = std::move(*started);
    Connect();
  }

  std::string Make(const std::string& tenant, RoleSet roles) {
    const int64_t now = fleet_.clock.WallMillis();
    const auto made = access::MakeKey(
        {.name = "test", .tenant = tenant, .roles = roles, .expires_ms = now + 3'600'000}, now);
    EXPECT_TRUE(keys_.Add(made->record).ok());
    return made->key;
  }
  static std::string IdOf(const std::string& key) { return std::string(access::SplitKey(key)->id); }

  static std::unique_ptr<grpc::ClientContext> With(const std::string& key) {
    auto call = Call();
    if (!key.empty()) call->AddMetadata("authorization", "Bearer " + key);
    return call;
  }

  // Any method at all, as bytes; a stream's first answer or its end.
  Status AskBytes(const std::string& method, const std::string& authorization) {
    return AskBytesAt(gateway_->address(), method, authorization);
  }
  Status AskBytesAt(const std::string& address, const std::string& method,
                    const std::string& authorization) {
    const auto channel = *rpc::MakeChannel({.address = address});
    grpc::GenericStub stub(channel);
    auto call = Call();
    if (!authorization.empty()) call->AddMetadata("authorization", authorization);
    grpc::CompletionQueue queue;
    const auto stream = stub.PrepareCall(call.get(), method, &queue);
    const auto done = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    stream->StartCall(nullptr);
    done();
    const grpc::Slice nothing("");  // a message without fields
    stream->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), nullptr);
    done();
    grpc::ByteBuffer reply;
    stream->Read(&reply, nullptr);
    if (done()) {
      call->TryCancel();
      answered_ = true;
    } else {
      answered_ = false;
    }
    grpc::Status status;
    stream->Finish(&status, nullptr);
    done();
    return answered_ ? OkStatus() : rpc::FromGrpc(status);
  }

  template <typename Stub, typename Request, typename Reply>
  Status AskAs(const std::string& key, Stub* stub,
               grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
               const Request& request, Reply* reply) {
    const auto call = With(key);
    return rpc::FromGrpc((stub->*method)(call.get(), request, reply));
  }
  StatusOr<std::string> SubmitAs(const std::string& key, const std::string& idempotency_key = "") {
    v1::SubmitRequest request;
    *request.mutable_request() = DemoRequest();
    request.mutable_request()->set_idempotency_key(idempotency_key);
    v1::SubmitResponse reply;
    const Status status = AskAs(key, images_.get(), &v1::Images::Stub::Submit, request, &reply);
    if (!status.ok()) return status;
    return reply.job_id();
  }

  access::MemoryKeyStore keys_;
  std::string draw_, read_, other_, operate_, work_;
  bool answered_ = false;
};

// All that a server of ours may serve.
std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const char* service :
       {"phasor.v1.Images", "phasor.v1.Models", "phasor.v1.Admin", "phasor.v1.WorkerReport",
        "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection",
        "grpc.channelz.v1.Channelz"}) {
    const auto* found =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
    EXPECT_NE(found, nullptr) << service;
    if (found == nullptr) continue;
    for (int i = 0; i < found->method_count(); ++i) {
      methods.push_back("/" + found->full_name() + "/" + found->method(i)->name());
    }
  }
  return methods;
}

TEST_F(GateTest, WithoutAGoodCredentialEveryMethodIsUnauthenticatedInTheSameWords) {
  const std::string unknown =
      access::MakeKey({.name = "", .tenant = "a", .roles = {Role::kOperate}}, 1)->key;
  std::string wrong = operate_;
  wrong.back() = wrong.back() == 'a' ? 'q' : 'a';
  const std::vector<std::string> headers = {
      "", "Bearer", "Bearer x", "Basic " + draw_, draw_, "Bearer " + unknown, "Bearer " + wrong};
  for (const std::string& method : AllMethods()) {
    for (const std::string& header : headers) {
      const Status status = AskBytes(method, header);
      if (method.starts_with("/grpc.health.")) {
        EXPECT_NE(status.code(), StatusCode::kUnauthenticated) << method;
        continue;
      }
      EXPECT_EQ(status.code(), StatusCode::kUnauthenticated) << method << " " << header;
      EXPECT_EQ(status.message(), access::kNoCredential) << method << " " << header;
    }
  }
  EXPECT_EQ(fleet_.queue.Stats()->live, 0) << "nothing was done";
}

TEST_F(GateTest, EveryMethodAsksForItsRole) {
  const std::map<std::string, RoleSet> keys = {{draw_, {Role::kDraw, Role::kRead}},
                                               {read_, {Role::kRead}},
                                               {operate_, {Role::kOperate}},
                                               {work_, {Role::kWork}}};
  for (const std::string& method : AllMethods()) {
    const access::MethodRule* rule = access::RuleOf(method);
    ASSERT_NE(rule, nullptr) << method << " has no line in common/access/methods.cc";
    if (rule->roles.empty()) continue;
    for (const auto& [key, roles] : keys) {
      if (roles.Meets(rule->roles)) continue;
      EXPECT_EQ(AskBytes(method, "Bearer " + key).code(), StatusCode::kPermissionDenied)
          << method << " " << ToString(roles);
    }
  }
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
  EXPECT_FALSE(fleet_.queue.Stats()->paused);
}

TEST_F(GateTest, EachListenerServesTheMethodsOfItsDoorAndAsksForCredentialsAsWell) {
  Gateway::Ports ports = FleetPorts();
  ports.keys = &keys_;
  gateway_.reset();
  GatewayConfig config = ConfigOf("127.0.0.1:0", "g2");
  config.listen_admin = config.listen_workers = "127.0.0.1:0";
  auto started = Gateway::Start(config, "0123456789abcdef", {{DemoCard()}, {}}, ports);
  ASSERT_TRUE(started.ok()) << started.status();
  gateway_ = std::move(*started);
  const std::map<access::Door, Audience> doors = {{access::Door::kClients, Audience::kClients},
                                                  {access::Door::kOperators, Audience::kOperators},
                                                  {access::Door::kWorkers, Audience::kWorkers}};
  const std::string all = Make("a", {Role::kDraw, Role::kRead, Role::kOperate, Role::kWork});
  const auto known = [&] {
    return AskBytesAt(gateway_->address(), "/phasor.v1.Models/List", "Bearer " + all).ok();
  };
  // Until the keys are read again.
  for (int i = 0; i < 500 && !known(); ++i) std::this_thread::sleep_for(Millis(20));
  ASSERT_TRUE(known());
  for (const std::string& method : AllMethods()) {
    if (method.starts_with("/grpc.health.")) continue;  // at each
    for (const auto& [door, audience] : doors) {
      const std::string& address = gateway_->address(audience);
      // Who is nobody does not hear what is served where.
      EXPECT_EQ(AskBytesAt(address, method, "").code(), StatusCode::kUnauthenticated) << method;
      const bool served = access::RuleOf(method)->door == door;
      const StatusCode code = AskBytesAt(address, method, "Bearer " + all).code();
      EXPECT_EQ(code != StatusCode::kUnimplemented, served)
          << method << " at the door for " << NameOf(audience);
    }
  }
}

TEST_F(GateTest, AJobIsItsTenantsAndToAnotherThereIsNone) {
  const std::string id = *SubmitAs(draw_);
  v1::GetJobRequest get;
  get.set_job_id(id);
  v1::Job job;
  EXPECT_TRUE(AskAs(draw_, images_.get(), &v1::Images::Stub::Get, get, &job).ok());
  EXPECT_TRUE(AskAs(operate_, images_.get(), &v1::Images::Stub::Get, get, &job).ok());
  const Status foreign = AskAs(other_, images_.get(), &v1::Images::Stub::Get, get, &job);
  get.set_job_id(job::MakeJobId("other", "b", "none"));
  const Status none = AskAs(other_, images_.get(), &v1::Images::Stub::Get, get, &job);
  EXPECT_EQ(foreign.code(), StatusCode::kNotFound);
  EXPECT_EQ(foreign, none);
}

TEST_F(GateTest, OneIdempotencyKeyNamesAJobOfEachTenant) {
  const std::string first = *SubmitAs(draw_, "same");
  EXPECT_EQ(*SubmitAs(draw_, "same"), first);
  EXPECT_NE(*SubmitAs(other_, "same"), first);
}

TEST_F(GateTest, ATenantIsNeverWhatACallSaysOfItself) {
  const auto call = With(draw_);
  call->AddMetadata("phasor-caller", "o");
  call->AddMetadata("tenant", "b");
  v1::SubmitRequest request;
  *request.mutable_request() = DemoRequest();
  v1::SubmitResponse reply;
  ASSERT_TRUE(images_->Submit(call.get(), request, &reply).ok());
  EXPECT_EQ(fleet_.queue.Get(reply.job_id(), job::Operator())->tenant, "a");
}

TEST_F(GateTest, TwoCredentialsInOneCallAreNone) {
  const auto call = With(draw_);
  call->AddMetadata("authorization", "Bearer " + operate_);
  v1::PauseResponse reply;
  EXPECT_EQ(admin_->Pause(call.get(), {}, &reply).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GateTest, ARevokedKeyEndsItsStreamsAndNobodyElses) {
  const std::string id = *SubmitAs(draw_);
  v1::WatchRequest watch;
  watch.set_job_id(id);
  const auto revoked = With(draw_);
  const auto kept = With(read_);
  const auto revoked_stream = images_->Watch(revoked.get(), watch);
  const auto kept_stream = images_->Watch(kept.get(), watch);
  v1::WatchEvent event;
  ASSERT_TRUE(revoked_stream->Read(&event));
  ASSERT_TRUE(kept_stream->Read(&event));
  ASSERT_TRUE(keys_.Remove(IdOf(draw_)).ok());
  while (revoked_stream->Read(&event)) {
  }
  const grpc::Status end = revoked_stream->Finish();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(end.error_message(), access::kNoCredential);
  EXPECT_EQ(SubmitAs(draw_).status().code(), StatusCode::kUnauthenticated);
  // The other one still hears of the job.
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {}).ok());
  bool ended = false;
  while (kept_stream->Read(&event)) ended = ended || event.job().state() == v1::DONE;
  EXPECT_TRUE(ended);
  EXPECT_TRUE(kept_stream->Finish().ok());
}

TEST_F(GateTest, AWorkersStreamEndsWithItsKey) {
  const auto call = With(work_);
  const auto stream = report_->Report(call.get());
  v1::WorkerMessage hello;
  hello.mutable_hello()->set_name("w1");
  ASSERT_TRUE(stream->Write(hello));
  v1::GatewayMessage message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_TRUE(message.has_welcome());
  ASSERT_TRUE(keys_.Remove(IdOf(work_)).ok());
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GateTest, RefusalsAreCountedByTheirReason) {
  EXPECT_FALSE(SubmitAs("").ok());
  EXPECT_FALSE(SubmitAs(read_).ok());
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, testing::HasSubstr("phasor_refused_calls_total{reason=\"missing\"} 1"));
  EXPECT_THAT(text, testing::HasSubstr("phasor_refused_calls_total{reason=\"role\"} 1"));
  EXPECT_THAT(text, testing::HasSubstr("code=\"UNAUTHENTICATED\""));
}

TEST_F(GateTest, WithoutAnyKeyConfiguredEverybodyIsLetIn) {
  gateway_.reset();
  auto started = StartGateway("127.0.0.1:0", "g2", FleetPorts());
  ASSERT_TRUE(started.ok());
  gateway_ = std::move(*started);
  Connect();
  EXPECT_TRUE(SubmitAs("").ok());
  EXPECT_TRUE(SubmitAs("whatever").ok());
}

}  // namespace
}  // namespace phasor::gateway
