// A real redis-server that speaks TLS, and what the queue's and the store's connections make of it.

#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/queue/redis/redis_queue.h"
#include "common/redis/command_pipeline.h"
#include "common/redis/open_redis.h"
#include "common/storage/open_store.h"
#include "common/testing/free_port.h"
#include "common/testing/redis_server.h"
#include "common/tls/testing_folder.h"

namespace phasor::redis {
namespace {

using testing::HasSubstr;
using tls::kHourMs;

class RedisTlsTest : public testing::Test {
 protected:
  // With the certificate NAME.pem, and what else redis-server is to be told.
  void Serve(const std::string& name, std::vector<std::string> more = {}) {
    port_ = FreePort();
    std::vector<std::string> arguments = {
        "--tls-port",          std::to_string(port_),       "--bind",
        "127.0.0.1",           "--tls-cert-file",           folder_.Path(name + ".pem"),
        "--tls-key-file",      folder_.Path(name + ".key"), "--tls-ca-cert-file",
        folder_.Path("ca.pem")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    server_.emplace(arguments);
  }
  void ServeAnybody(const std::string& name) { Serve(name, {"--tls-auth-clients", "no"}); }

  std::string Url(const std::string& scheme = "rediss") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }
  tls::Files Ca() const { return {.authorities = folder_.Path("ca.pem")}; }
  RedisOptions Options(const tls::Files& files, const LoginFiles& login = {}) const {
    return OpenRedis(Url(), {login, files}, &clock_).value();
  }
  Status Ping(const RedisOptions& options) const {
    auto connection = RedisConnection::Connect(options);
    if (!connection.ok()) return connection.status();
    return (*connection)->Call({"PING"}).status();
  }
  // To the server without TLS, to change what it is.
  void Tell(const std::vector<std::string_view>& command) const {
    RedisOptions options;
    options.address = *ParseRedisUrl(server_->url());
    const auto reply = (*RedisConnection::Connect(options))->Call(command);
    ASSERT_NE(reply->kind, RedisReply::Kind::kError) << reply->text;
  }

  const SystemClock clock_;
  const tls::TestingFolder folder_;
  int port_ = 0;
  std::optional<RedisServer> server_;
};

TEST_F(RedisTlsTest, WhoeverKnowsTheAuthorityTalksToIt) {
  folder_.Issue("redis");
  ServeAnybody("redis");
  EXPECT_TRUE(Ping(Options(Ca())).ok()) << Ping(Options(Ca()));
}

TEST_F(RedisTlsTest, LargeAndManyRepliesComeWhole) {
  folder_.Issue("redis");
  ServeAnybody("redis");
  CommandPipeline pipeline(Options(Ca()));
  const std::string large(5 << 20, 'x');
  ASSERT_TRUE(pipeline.Call({"SET", "large", large}).ok());
  EXPECT_EQ(pipeline.Call({"GET", "large"})->text, large);
  std::vector<std::string> commands;
  for (int i = 0; i < 500; ++i) commands.push_back(FormatCommand({"ECHO", std::to_string(i)}));
  const auto replies = pipeline.CallAll(commands);
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(replies[static_cast<size_t>(i)]->text, std::to_string(i));
  }
  EXPECT_EQ(pipeline.connections(), 1) << "what TLS sends by itself is no end of the connection";
}

TEST_F(RedisTlsTest, QueueAndStoreWorkThroughIt) {
  folder_.Issue("redis");
  ServeAnybody("redis");
  const RedisOptions options = Options(Ca());
  queue::RedisQueue queue(options);
  EXPECT_TRUE(queue.Stats().ok()) << queue.Stats().status();
  const auto store = storage::OpenStore(Url() + "?ttl=1h", {.queue = &options});
  ASSERT_TRUE(store.ok()) << store.status();
  ASSERT_TRUE((*store)->Put("key", "bytes").ok());
  EXPECT_EQ(*(*store)->Get("key"), "bytes");
}

TEST_F(RedisTlsTest, ACertificateThatIsWrongIsASentence) {
  folder_.Issue("redis", {"elsewhere"}, folder_.Around());
  ServeAnybody("redis");
  const Status other_name = Ping(Options(Ca()));
  EXPECT_EQ(other_name.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(other_name), HasSubstr("is for elsewhere, not for 127.0.0.1"));
  folder_.Write("foreign.pem", tls::MakeAuthority("Else", folder_.Around())->certificate);
  EXPECT_THAT(Message(Ping(Options({.authorities = folder_.Path("foreign.pem")}))),
              HasSubstr("not"));
  server_.reset();
  folder_.Issue("old", {"127.0.0.1"}, {folder_.now() - 2 * kHourMs, folder_.now() - kHourMs});
  ServeAnybody("old");
  EXPECT_THAT(Message(Ping(Options(Ca()))), HasSubstr("expired on 20"));
}

TEST_F(RedisTlsTest, APlainPortAndATlsPortAreToldApart) {
  folder_.Issue("redis");
  const int plain = FreePort();
  Serve("redis", {"--tls-auth-clients", "no", "--port", std::to_string(plain)});
  const auto to_plain =
      OpenRedis("rediss://127.0.0.1:" + std::to_string(plain), {.tls = Ca()}, &clock_).value();
  EXPECT_THAT(Message(Ping(to_plain)), HasSubstr("perhaps it speaks plain text"));
  const auto to_tls = OpenRedis(Url("redis"), {}, &clock_).value();
  EXPECT_THAT(Message(Ping(to_tls)), HasSubstr("speaks TLS, which is rediss://"));
  EXPECT_THAT(Message(OpenRedis(Url("redis"), {.tls = Ca()}, &clock_).status()),
              HasSubstr("rediss://"));
}

TEST_F(RedisTlsTest, ARedisThatWantsCertificatesGetsOne) {
  folder_.Issue("redis");
  Serve("redis");
  EXPECT_THAT(Message(Ping(Options(Ca()))), HasSubstr("wants a certificate of the client"));
  EXPECT_TRUE(Ping(Options(folder_.Issue("client"))).ok());
}

TEST_F(RedisTlsTest, APasswordThatIsReplacedInItsFileServesTheNextConnection) {
  folder_.Issue("redis");
  Serve("redis",
        {"--tls-auth-clients", "no", "--user", "phasor", "on", ">first", "~*", "&*", "+@all"});
  folder_.Write("user", "phasor\n");
  folder_.Write("password", "first\n");
  const RedisOptions options = Options(Ca(), {folder_.Path("user"), folder_.Path("password")});
  CommandPipeline pipeline(options);
  EXPECT_EQ(pipeline.Call({"ACL", "WHOAMI"})->text, "phasor");
  // Both are good for a while, then the old one goes.
  Tell({"ACL", "SETUSER", "phasor", ">second"});
  folder_.Write("password", "second\n");
  Tell({"ACL", "SETUSER", "phasor", "<first"});
  EXPECT_EQ(pipeline.Call({"ACL", "WHOAMI"})->text, "phasor") << "what is open stays open";
  Tell({"CLIENT", "KILL", "USER", "phasor"});
  StatusOr<RedisReply> again = Unavailable("");
  while (!again.ok()) again = pipeline.Call({"ACL", "WHOAMI"});
  EXPECT_EQ(again->text, "phasor");
  folder_.Write("password", "wrong\n");
  EXPECT_THAT(Message(Ping(options)), HasSubstr("Redis refused the user or password"));
  folder_.Write("password", "");
  EXPECT_THAT(Message(Ping(options)), HasSubstr("password is empty"));
}

TEST_F(RedisTlsTest, NewCertificatesOfTheClientServeTheNextConnection) {
  folder_.Issue("redis");
  Serve("redis");
  const RedisOptions options = Options(folder_.Issue("client"));
  ASSERT_TRUE(Ping(options).ok());
  const auto foreign = *tls::MakeAuthority("Else", folder_.Around());
  folder_.IssueBy(foreign, "client", {"client"}, folder_.Around());
  EXPECT_FALSE(Ping(options).ok());
  folder_.Issue("client");
  EXPECT_TRUE(Ping(options).ok());
}

}  // namespace
}  // namespace phasor::redis
