// The real gateway program with a real Redis and a store on the disk.
#include <grpcpp/client_context.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/metrics/admin_client.h"
#include "common/metrics/admin_server.h"
#include "common/queue/redis/redis_queue.h"
#include "common/rpc/channel.h"
#include "common/rpc/status_convert.h"
#include "common/storage/fs/fs_store.h"
#include "common/testing/redis_server.h"
#include "phasor/v1/images.grpc.pb.h"
#include "tests/integration/gateway_process.h"

namespace phasor {
namespace {

using testing::HasSubstr;

class Client {
 public:
  explicit Client(const GatewayProcess& gateway)
      : images_(v1::Images::NewStub(*rpc::MakeChannel({.address = gateway.address()}))) {}

  static std::unique_ptr<grpc::ClientContext> Call(int seconds = 20) {
    auto call = std::make_unique<grpc::ClientContext>();
    call->set_wait_for_ready(true);  // the gateway may be on its way up
    call->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
    return call;
  }

  StatusOr<v1::SubmitResponse> Submit(const std::string& key = "") {
    v1::SubmitRequest request;
    request.mutable_request()->set_prompt("a red circle");
    request.mutable_request()->set_idempotency_key(key);
    v1::SubmitResponse response;
    const Status status = rpc::FromGrpc(images_->Submit(Call().get(), request, &response));
    if (!status.ok()) return status;
    return response;
  }
  // Until it succeeds, as a client does that is told UNAVAILABLE.
  StatusOr<v1::SubmitResponse> SubmitPatiently(const std::string& key) {
    StatusOr<v1::SubmitResponse> response = Unavailable("not tried");
    for (int i = 0; i < 200 && response.status().code() == StatusCode::kUnavailable; ++i) {
      response = Submit(key);
      if (!response.ok()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return response;
  }
  v1::Images::Stub* operator->() { return images_.get(); }

 private:
  std::unique_ptr<v1::Images::Stub> images_;
};

TEST(GatewayProcessTest, StartsWithoutRedisSaysSoAndServesOnceItIsThere) {
  RedisServer redis;
  redis.Kill();
  const GatewayProcess gateway(redis.url());
  Client client(gateway);
  const Status refused = client.Submit().status();
  EXPECT_EQ(refused.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(refused), HasSubstr("the queue or the result store does not answer"));
  EXPECT_THAT(gateway.Log(), HasSubstr("cannot reach Redis"));
  redis.Start();
  const auto accepted = client.SubmitPatiently("k");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
}

// A port that nobody has.
std::string FreeAddress() {
  metrics::Registry registry;
  const SystemClock clock;
  const auto server = *metrics::AdminServer::Start(
      {.address = "127.0.0.1:0"}, &registry, [] { return OkStatus(); }, &clock);
  return "127.0.0.1:" + std::to_string(server->port());
}

// Whether /readyz answers with the code, soon.
bool BecomesReady(const std::string& operations, int code, std::string* body) {
  for (int i = 0; i < 1'000; ++i) {
    const auto answer = metrics::AskAdmin(operations, Millis(5'000));
    if (answer.ok()) *body = answer->body;
    if (answer.ok() && answer->code == code) return true;
    std::this_thread::sleep_for(Millis(10));
  }
  return false;
}

TEST(GatewayProcessTest, AStoreThatIsAwayAtTheStartIsWaitedForAndNamedMeanwhile) {
  const RedisServer redis;
  RedisServer results;
  results.Kill();
  const std::string operations = FreeAddress();
  const GatewayProcess gateway(redis.url(),
                               {"--store", results.url() + "?ttl=1h", "--metrics", operations});
  std::string body;
  ASSERT_TRUE(BecomesReady(operations, 503, &body)) << gateway.Log();
  EXPECT_THAT(body, HasSubstr("result store at " + results.url()));
  Client client(gateway);
  EXPECT_EQ(client.Submit().status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(gateway.Log(), HasSubstr("waiting for Redis or the store"));
  EXPECT_THAT(gateway.Log(), HasSubstr("result store at " + results.url()));
  results.Start();
  const auto accepted = client.SubmitPatiently("k");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_TRUE(BecomesReady(operations, 200, &body)) << body;
}

TEST(GatewayProcessTest, AStoreThatRefusesItEndsItAtOnceOrWhenItComes) {
  const RedisServer redis;
  RedisServer results({"--requirepass", "geheim"});
  GatewayProcess at_once(redis.url(), {"--store", results.url()});
  EXPECT_EQ(at_once.Wait(), 1) << at_once.Log();
  EXPECT_THAT(at_once.Log(), HasSubstr("Redis wants a password"));
  results.Kill();
  GatewayProcess late(redis.url(), {"--store", results.url()});
  Client client(late);
  EXPECT_EQ(client.Submit().status().code(), StatusCode::kUnavailable);
  results.Start();
  EXPECT_EQ(late.Wait(), 1) << late.Log();
  EXPECT_THAT(late.Log(), HasSubstr("Redis wants a password"));
}

TEST(GatewayProcessTest, AStoreThatCannotBeMadeIsRefusedAlsoWhileRedisIsAway) {
  RedisServer redis;
  redis.Kill();
  GatewayProcess gateway(redis.url(), {"--store", "/proc/x"});
  EXPECT_EQ(gateway.Wait(), 1) << gateway.Log();
  EXPECT_THAT(gateway.Log(), HasSubstr("cannot use folder /proc/x"));
}

TEST(GatewayProcessTest, ARedisThatIsWrongIsASentenceAndExitCodeOne) {
  const RedisServer old_user;
  const auto connection =
      *redis::RedisConnection::Connect({.address = *queue::ParseRedisUrl(old_user.url())});
  ASSERT_EQ(connection->Call({"ACL", "SETUSER", "default", "resetchannels"})->text, "OK");
  const RedisServer evicting({"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"});
  const RedisServer forgetful({"--appendonly", "no"});
  const RedisServer locked({"--requirepass", "geheim"});
  struct Case {
    std::string url;
    std::string says;
  };
  for (const Case& c : {Case{old_user.url(), "&{phasor}:ev"}, Case{evicting.url(), "allkeys-lru"},
                        Case{forgetful.url(), "appendonly no"}, Case{locked.url(), "password"}}) {
    GatewayProcess gateway(c.url);
    EXPECT_EQ(gateway.Wait(), 1) << gateway.Log();
    EXPECT_THAT(gateway.Log(), HasSubstr(c.says));
  }
}

TEST(GatewayProcessTest, ARedisThatMayLoseJobsIsServedOnlyIfThatIsAllowed) {
  const RedisServer forgetful({"--appendonly", "no"});
  setenv("PHASOR_ALLOW_JOB_LOSS", "true", 1);
  const GatewayProcess gateway(forgetful.url());
  unsetenv("PHASOR_ALLOW_JOB_LOSS");
  Client client(gateway);
  EXPECT_TRUE(client.SubmitPatiently("k").ok()) << gateway.Log();
  EXPECT_THAT(gateway.Log(), HasSubstr("jobs may be lost"));
}

TEST(GatewayProcessTest, ARedisThatComesLateAndIsWrongEndsIt) {
  RedisServer redis({"--appendonly", "no"});
  redis.Kill();
  GatewayProcess gateway(redis.url());
  Client client(gateway);
  EXPECT_EQ(client.Submit().status().code(), StatusCode::kUnavailable);
  redis.Start();
  EXPECT_EQ(gateway.Wait(), 1) << gateway.Log();
  EXPECT_THAT(gateway.Log(), HasSubstr("appendonly no"));
}

TEST(GatewayProcessTest, AnotherSecretIsRefusedAndBothFingerprintsAreNamed) {
  const RedisServer redis;
  const GatewayProcess first(redis.url());
  Client client(first);
  ASSERT_TRUE(client.SubmitPatiently("k").ok());
  // The same store, and a secret of its own.
  GatewayProcess second(redis.url(), {"--store", first.store()});
  EXPECT_EQ(second.Wait(), 1) << second.Log();
  EXPECT_THAT(second.Log(), HasSubstr("the secret is not the fleet's"));
  GatewayProcess third(redis.url());
  EXPECT_EQ(third.Wait(), 1) << "and another store";
  EXPECT_THAT(third.Log(), HasSubstr("store"));
  // docs/redis.md: the operator says so, then the new secret serves and the old one does not.
  const std::string word = "its fingerprint is ";
  const std::string log = second.Log();
  const std::string fingerprint = log.substr(log.find(word) + word.size(), 16);
  const auto connection =
      *redis::RedisConnection::Connect({.address = *queue::ParseRedisUrl(redis.url())});
  ASSERT_EQ(connection->Call({"HSET", "{phasor}:fleet", "secret", fingerprint})->AsInteger(), 0);
  for (int i = 0; i < 3'000 && client.Submit("k").ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(client.Submit("k").status().code(), StatusCode::kUnavailable);
}

TEST(GatewayProcessTest, AnAcceptedJobSurvivesTheDeathOfRedis) {
  RedisServer redis;
  const GatewayProcess gateway(redis.url());
  Client client(gateway);
  const auto first = client.SubmitPatiently("k");
  ASSERT_TRUE(first.ok()) << first.status();
  redis.Kill();
  EXPECT_EQ(client.Submit("k").status().code(), StatusCode::kUnavailable);
  redis.Start();
  const auto again = client.SubmitPatiently("k");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), first->job_id());
  EXPECT_TRUE(again->duplicate());
  EXPECT_EQ(again->request().seed(), first->request().seed());
}

TEST(GatewayProcessTest, GenerateDeliversThePictureThatAWorkerPublished) {
  const RedisServer redis;
  const GatewayProcess gateway(redis.url());
  Client client(gateway);
  v1::GenerateImagesRequest request;
  request.mutable_request()->set_prompt("a red circle");
  const auto call = Client::Call();
  const auto reader = client->Generate(call.get(), request);
  v1::GenerateEvent event;
  ASSERT_TRUE(reader->Read(&event));
  const std::string id = event.accepted().job_id();

  queue::RedisQueue queue({.address = *queue::ParseRedisUrl(redis.url())});
  const auto store = storage::FsStore::Open({.root = gateway.store()});
  ASSERT_TRUE(store.ok()) << store.status();
  queue::TakeRequest take;
  take.worker = "w";
  take.node = "n";
  take.nonce = RandomToken();
  take.models = {"phasor-demo"};
  const auto grant = queue.Take(take);
  ASSERT_TRUE(grant.ok() && *grant);
  ASSERT_EQ((*grant)->fence.id, id);
  storage::TerminalRecord record;
  record.id = id;
  record.epoch = (*grant)->fence.epoch;
  record.images.push_back({.blob = storage::BlobKey(id, record.epoch, take.nonce, 0),
                           .sha256 = Sha256Hex("picture"),
                           .bytes = 7,
                           .seed = 1,
                           .width = 8,
                           .height = 8});
  ASSERT_TRUE((*store)->Put(record.images[0].blob, "picture").ok());
  ASSERT_TRUE((*store)->CreateTerminal(record).ok());
  ASSERT_TRUE(queue.Complete((*grant)->fence, storage::TerminalKey(id)).ok());

  std::string picture;
  while (reader->Read(&event) && !event.has_finished()) {
    picture += event.picture().data();
  }
  EXPECT_EQ(event.finished().state(), v1::DONE);
  ASSERT_EQ(event.finished().result().images_size(), 1);
  EXPECT_EQ(picture, "picture");
}

TEST(GatewayProcessTest, SigtermEndsStreamsWithUnavailableAndExitsZero) {
  const RedisServer redis;
  GatewayProcess gateway(redis.url());
  Client client(gateway);
  v1::WatchRequest watch;
  watch.set_job_id(client.SubmitPatiently("k")->job_id());
  const auto call = Client::Call();
  const auto reader = client->Watch(call.get(), watch);
  v1::WatchEvent event;
  ASSERT_TRUE(reader->Read(&event));
  gateway.Terminate();
  while (reader->Read(&event)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::UNAVAILABLE);
  EXPECT_EQ(gateway.Wait(), 0) << gateway.Log();
}

TEST(GatewayProcessTest, ATakenAddressIsASentenceAndExitCodeOne) {
  const RedisServer redis;
  const GatewayProcess first(redis.url());
  Client client(first);
  ASSERT_TRUE(client.SubmitPatiently("k").ok());
  GatewayProcess second(redis.url(), {"--listen", first.address(), "--store", first.store(),
                                      "--secret-file", first.folder() + "/secret"});
  EXPECT_EQ(second.Wait(), 1);
  EXPECT_THAT(second.Log(), HasSubstr("can't listen on " + first.address() +
                                      ": the address is in use by another process"));
  EXPECT_TRUE(client.Submit().ok());
}

TEST(GatewayProcessTest, WrongStartsAreSentencesWithTheRightExitCode) {
  const std::string yaml = testing::TempDir() + "phasor_gateway_wrong.yaml";
  std::ofstream(yaml) << "lissten: nowhere\n";
  struct Case {
    std::vector<std::string> arguments;
    int code;
    std::string says;
  };
  const Case cases[] = {
      {{"--config", yaml}, 2, "lissten"},
      {{"--listne", "x"}, 2, "--listne"},
      {{"--log-level", "loud"}, 2, "loud"},
      {{"--listen", "nonsense"}, 2, "'nonsense' is neither host:port nor unix:/path"},
      {{"--redis", "http://x"}, 1, "Redis URL must begin with"},
      {{"--models", "/nonexistent"}, 1, "/nonexistent"},
      {{"--store", "/dev/null"}, 1, "/dev/null is no folder"},
      {{"--metrics", "127.0.0.1:x"}, 1, "'127.0.0.1:x' is not host:port"},
      {{"--listen", "0.0.0.0:1"}, 2, "0.0.0.0:1 can be reached from other machines"},
      {{"--tls-cert", "/nonexistent.pem"}, 1, "needs its key as well"},
  };
  for (const Case& c : cases) {
    GatewayProcess gateway("unix:///nonexistent.sock", c.arguments);
    EXPECT_EQ(gateway.Wait(), c.code) << gateway.Log();
    EXPECT_THAT(gateway.Log(), HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace phasor
