// Whatever the queue or the store does, a client hears that it should come back, and an accepted
// job stays accepted.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/rpc/spec_convert.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

class BackendFaultsTest : public GatewayFixture {
 protected:
  void SetUp() override {
    Gateway::Ports ports = FleetPorts();
    ports.producer = &queue_;
    ports.maintenance = &queue_;
    ports.control = &queue_;
    ports.store = &store_;
    auto started = StartGateway("127.0.0.1:0", "g1", ports);
    ASSERT_TRUE(started.ok()) << started.status();
    gateway_ = std::move(*started);
    Connect();
  }
  void TearDown() override { gateway_.reset(); }

  static v1::GenerateRequest Keyed(const std::string& key) {
    v1::GenerateRequest request = DemoRequest();
    request.set_idempotency_key(key);
    return request;
  }

  // The end of a stream, all of it read.
  template <typename Reader, typename Event>
  static Status Drained(Reader reader, Event event) {
    while (reader->Read(&event)) {
    }
    return rpc::FromGrpc(reader->Finish());
  }

  struct Method {
    std::string name;
    bool uses_store;
    std::function<Status()> call;
  };
  // `open` has not ended, `done` has, `dead` is a dead letter.
  std::vector<Method> Methods(const std::string& open, const std::string& done,
                              const std::string& dead);

  FaultyQueue queue_{&fleet_.queue};
  FaultyStore store_{&fleet_.store};
};

std::vector<BackendFaultsTest::Method> BackendFaultsTest::Methods(const std::string& open,
                                                                  const std::string& done,
                                                                  const std::string& dead) {
  return {
      {"Submit", false, [this] { return Submit().status(); }},
      {"Submit with a key", false, [this] { return Submit(Keyed("new")).status(); }},
      {"Generate", false,
       [this] {
         v1::GenerateImagesRequest request;
         *request.mutable_request() = DemoRequest();
         const auto call = Call();
         return Drained(images_->Generate(call.get(), request), v1::GenerateEvent());
       }},
      {"BatchSubmit", false,
       [this] {
         v1::BatchSubmitRequest request;
         *request.add_requests() = DemoRequest();
         const auto batch = Ask(images_.get(), &v1::Images::Stub::BatchSubmit, request);
         if (!batch.ok()) return batch.status();
         // An error of one of them is told by name and has no place for a RetryInfo.
         const std::string code = batch->items(0).error().code();
         const bool passing = code == "UNAVAILABLE" || code == "RESOURCE_EXHAUSTED";
         return passing ? rpc::WithRetryAfter(Unavailable(code), Millis(1)) : Internal(code);
       }},
      {"Get", true, [=, this] { return Get(open).status(); }},
      {"Watch", true,
       [=, this] {
         v1::WatchRequest request;
         request.set_job_id(open);
         const auto call = Call();
         return Drained(images_->Watch(call.get(), request), v1::WatchEvent());
       }},
      {"Cancel", true, [=, this] { return Cancel(open).status(); }},
      {"List", false,
       [this] {
         return Ask(images_.get(), &v1::Images::Stub::List, v1::ListJobsRequest()).status();
       }},
      {"GetResult", true,
       [=, this] {
         v1::GetResultRequest request;
         request.set_job_id(done);
         const auto call = Call();
         const Status end = Drained(images_->GetResult(call.get(), request), v1::ResultChunk());
         // The record alone answers while the queue can't.
         return end.ok() ? rpc::WithRetryAfter(Unavailable("served"), Millis(1)) : end;
       }},
      {"Redrive", false,
       [=, this] {
         v1::RedriveRequest request;
         request.set_job_id(dead);
         return Ask(images_.get(), &v1::Images::Stub::Redrive, request).status();
       }},
      {"Stats", false,
       [this] { return Ask(admin_.get(), &v1::Admin::Stub::Stats, v1::StatsRequest()).status(); }},
      {"Pause", false,
       [this] { return Ask(admin_.get(), &v1::Admin::Stub::Pause, v1::PauseRequest()).status(); }},
      {"SetLimits", false,
       [this] {
         return Ask(admin_.get(), &v1::Admin::Stub::SetLimits, v1::SetLimitsRequest()).status();
       }},
      {"DeadLetters", false,
       [this] {
         return Ask(admin_.get(), &v1::Admin::Stub::DeadLetters, v1::DeadLettersRequest()).status();
       }},
  };
}

TEST_F(BackendFaultsTest, EveryFailureOfEveryFlowIsWorthARetryAndNeverInternal) {
  const Status failures[] = {
      Unavailable("no answer within 1000 ms"),
      Unavailable("Redis is still loading its data"),
      ResourceExhausted("Redis is out of memory"),
      Internal("Redis: ERR something unforeseen"),
      DeadlineExceeded("slow"),
      Aborted("torn"),
      MakeStatus(StatusCode::kUnknown, "?"),
      MakeStatus(StatusCode::kPermissionDenied, "the bucket says no"),
  };
  const std::string dead = Submit()->job_id();
  fleet_.Kill(fleet_.Take(), "it fails");
  const std::string done = Submit()->job_id();
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  const std::string open = Submit()->job_id();
  const auto expect_passing = [](const Method& method, const Status& told, const Status& failure) {
    const bool passing =
        told.code() == StatusCode::kUnavailable || told.code() == StatusCode::kResourceExhausted;
    EXPECT_TRUE(passing) << method.name << " told " << told << " of " << failure;
    EXPECT_TRUE(rpc::RetryAfterOf(told).has_value()) << method.name << " of " << failure;
  };
  for (const Status& failure : failures) {
    for (const Method& method : Methods(open, done, dead)) {
      // A record says how a job ended whatever the queue does.
      queue_.fault.Set(failure);
      expect_passing(method, method.call(), failure);
      queue_.fault.Clear();
      if (!method.uses_store) continue;
      store_.fault.Set(failure);
      expect_passing(method, method.call(), failure);
      store_.fault.Clear();
    }
  }
  EXPECT_EQ(Get(open)->state(), v1::QUEUED);
  EXPECT_EQ(Get(done)->state(), v1::DONE);
}

TEST_F(BackendFaultsTest, ASubmitWhoseAnswerIsLostIsOneJobWhenRepeated) {
  queue_.spares_questions = true;
  queue_.fault.Set(Unavailable("the connection broke"), true);
  EXPECT_EQ(Submit(Keyed("k")).status().code(), StatusCode::kUnavailable);
  queue_.fault.Clear();
  const auto again = Submit(Keyed("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(fleet_.queue.Stats()->live, 1);
}

TEST_F(BackendFaultsTest, AStoreThatIsAwayStopsNoSubmit) {
  store_.fault.Set(Unavailable("cannot reach the store"));
  ASSERT_TRUE(Submit().ok());
  const auto first = Submit(Keyed("k"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_FALSE(first->duplicate());
  EXPECT_TRUE(Submit(Keyed("k"))->duplicate());
  v1::GenerateRequest other = Keyed("k");
  other.set_prompt("a blue square");
  EXPECT_EQ(Submit(other).status().code(), StatusCode::kAlreadyExists);
  // The worker is told to look before it draws.
  EXPECT_FALSE(rpc::DecodeJobSpec(fleet_.Take().spec)->record_unread);
  const queue::Grant keyed = fleet_.Take();
  EXPECT_EQ(keyed.fence.id, first->job_id());
  EXPECT_TRUE(rpc::DecodeJobSpec(keyed.spec)->record_unread);
  EXPECT_NE(metrics_.Text().find("phasor_submits_unchecked_total 1"), std::string::npos);
  store_.fault.Clear();
  ASSERT_TRUE(Submit(Keyed("l")).ok());
  EXPECT_FALSE(rpc::DecodeJobSpec(fleet_.Take().spec)->record_unread);
}

TEST_F(BackendFaultsTest, NoClientHearsWhereTheBackendsAre) {
  const std::string open = Submit()->job_id();
  queue_.fault.Set(Unavailable("cannot reach Redis at 10.1.2.3:6379: connection refused"));
  for (const Method& method : Methods(open, open, open)) {
    EXPECT_EQ(Message(method.call()).find("10.1.2.3"), std::string::npos) << method.name;
  }
}

TEST_F(BackendFaultsTest, ACancelWhoseAnswerIsLostStandsWhenRepeated) {
  const std::string id = Submit()->job_id();
  for (Fault* fault : {&queue_.fault, &store_.fault}) {
    fault->Set(Unavailable("the connection broke"), true);
    EXPECT_EQ(Cancel(id).status().code(), StatusCode::kUnavailable);
    fault->Clear();
  }
  EXPECT_EQ(Cancel(id)->state(), v1::CANCELED);
  EXPECT_EQ(fleet_.queue.Stats()->live, 0);
}

TEST_F(BackendFaultsTest, AGenerateStreamOutlivesAnOutageAndEndsWithThePicture) {
  v1::GenerateImagesRequest request;
  *request.mutable_request() = DemoRequest();
  const auto call = Call();
  const auto reader = images_->Generate(call.get(), request);
  v1::GenerateEvent event;
  ASSERT_TRUE(reader->Read(&event));
  ASSERT_TRUE(event.has_accepted());
  queue_.fault.Set(Internal("?"));
  store_.fault.Set(Unavailable("away"));
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"the picture"}).ok());
  // The watchers' poll runs on the fleet's clock.
  fleet_.clock.Advance(std::chrono::seconds(3));
  queue_.fault.Clear();
  store_.fault.Clear();
  fleet_.clock.Advance(std::chrono::seconds(3));
  std::string picture;
  while (reader->Read(&event) && !event.has_finished()) {
    picture += event.picture().data();
  }
  EXPECT_EQ(picture, "the picture");
  EXPECT_TRUE(reader->Finish().ok());
}

}  // namespace
}  // namespace phasor::gateway
