// Real redis-servers, one of them a master that Sentinels watch over, and what the queue's
// connections make of a failover.

#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/redis/command_pipeline.h"
#include "common/redis/open_redis.h"
#include "common/redis/sentinel.h"
#include "common/storage/open_store.h"
#include "common/testing/free_port.h"
#include "common/testing/redis_server.h"

namespace phasor::redis {
namespace {

using testing::HasSubstr;

constexpr char kMaster[] = "mymaster";
constexpr std::chrono::seconds kPatience{60};

// A redis-server with a port, which may be another one's replica.
class Node {
 public:
  explicit Node(std::vector<std::string> more = {}) : port_(FreePort()) {
    more.insert(more.begin(), {"--port", std::to_string(port_), "--bind", "127.0.0.1"});
    server_ = std::make_unique<RedisServer>(std::move(more));
  }
  int port() const { return port_; }
  RedisServer& server() { return *server_; }

  RedisReply Call(const std::vector<std::string_view>& arguments) {
    return RedisConnection::Connect(OpenRedis(server_->url(), {}, nullptr).value())
        .value()
        ->Call(arguments)
        .value();
  }

 private:
  const int port_;
  std::unique_ptr<RedisServer> server_;
};

// A Sentinel is a redis-server with a file that it rewrites.
class SentinelNode {
 public:
  SentinelNode(int master_port, const std::string& more = "") {
    port_ = FreePort();
    file_ = testing::TempDir() + "sentinel-" + std::to_string(port_) + ".conf";
    std::ofstream(file_) << "port " << port_ << "\nbind 127.0.0.1\ndir " << testing::TempDir()
                         << "\nsentinel monitor " << kMaster << " 127.0.0.1 " << master_port
                         << " 1\nsentinel down-after-milliseconds " << kMaster
                         << " 500\nsentinel failover-timeout " << kMaster << " 2000\n"
                         << more;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::execlp("redis-server", "redis-server", file_.c_str(), "--sentinel", "--logfile",
               "/dev/null", nullptr);
      _exit(127);
    }
  }
  ~SentinelNode() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove(file_);
  }
  int port() const { return port_; }

 private:
  int port_ = 0;
  std::string file_;
  pid_t pid_ = -1;
};

std::string UrlOf(const std::vector<int>& ports, const std::string& master = kMaster,
                  const std::string& login = "") {
  std::string url = "redis-sentinel://" + login;
  for (size_t i = 0; i < ports.size(); ++i) {
    url += (i == 0 ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(ports[i]);
  }
  return url + "?master=" + master;
}

// Asks again until the answer is OK or it has taken too long.
template <typename Ask>
auto Eventually(const Ask& ask) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  auto answer = ask();
  while (!answer.ok() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    answer = ask();
  }
  return answer;
}

RedisOptions Options(const std::string& url) { return OpenRedis(url, {}, nullptr).value(); }

TEST(RedisSentinelTest, TheMasterIsFoundAndFollowedToWhatIsPromoted) {
  Node first;
  Node second({"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  const SentinelNode sentinel(first.port());
  // The first one is not there: the next is asked.
  const RedisOptions options = Options(UrlOf({FreePort(), sentinel.port()}));
  EXPECT_EQ(Eventually([&] { return FindMaster(options); })->port, first.port());

  CommandPipeline pipeline(options);
  const auto put = [&](std::string_view value) -> Status {
    ASSIGN_OR_RETURN(const RedisReply reply, pipeline.Call({"SET", "key", value}));
    return reply.kind == RedisReply::Kind::kError ? StatusOfError(reply.text) : OkStatus();
  };
  ASSERT_TRUE(Eventually([&] { return put("before"); }).ok());
  EXPECT_EQ(first.Call({"GET", "key"}).text, "before");
  // Sentinels know of a replica after they asked its master.
  const auto replicated = [&] {
    const bool there = second.Call({"GET", "key"}).text == "before";
    return there ? OkStatus() : Unavailable("not yet");
  };
  ASSERT_TRUE(Eventually(replicated).ok());
  const auto known = [&]() -> Status {
    ASSIGN_OR_RETURN(
        const auto asked,
        RedisConnection::Connect(Options("redis://127.0.0.1:" + std::to_string(sentinel.port()))));
    ASSIGN_OR_RETURN(const RedisReply reply, asked->Call({"SENTINEL", "replicas", kMaster}));
    return reply.list.empty() ? Unavailable("none yet") : OkStatus();
  };
  ASSERT_TRUE(Eventually(known).ok());

  first.server().Kill();
  const Status after = Eventually([&] { return put("after"); });
  EXPECT_TRUE(after.ok()) << after;
  EXPECT_EQ(second.Call({"GET", "key"}).text, "after");
}

TEST(RedisSentinelTest, AReplicaIsNoMasterWhateverSentinelsSay) {
  Node first;
  Node second({"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  const SentinelNode misled(second.port());
  const auto ask = [&]() -> Status {
    const Status refused = RedisConnection::Connect(Options(UrlOf({misled.port()}))).status();
    // Until the Sentinel is there it is that.
    return Message(refused).find("no Sentinel tells") == std::string::npos ? OkStatus() : refused;
  };
  ASSERT_TRUE(Eventually(ask).ok());
  const auto connected = RedisConnection::Connect(Options(UrlOf({misled.port()})));
  if (connected.ok()) {
    // A Sentinel asks a replica for its master and mends its own mistake.
    EXPECT_EQ((*connected)->Call({"ROLE"})->list[0].text, "master");
  } else {
    EXPECT_EQ(connected.status().code(), StatusCode::kUnavailable);
    EXPECT_THAT(Message(connected.status()), HasSubstr("it is no master"));
  }
}

TEST(RedisSentinelTest, WhatNoneKnowsIsToldOfEach) {
  Node node;
  const SentinelNode sentinel(node.port());
  const int nobody = FreePort();
  ASSERT_TRUE(Eventually([&] { return FindMaster(Options(UrlOf({sentinel.port()}))); }).ok());
  const Status unknown = FindMaster(Options(UrlOf({nobody, sentinel.port()}, "other"))).status();
  EXPECT_EQ(unknown.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(unknown), HasSubstr("127.0.0.1:" + std::to_string(nobody)));
  EXPECT_THAT(Message(unknown),
              HasSubstr("the Sentinel at 127.0.0.1:" + std::to_string(sentinel.port()) +
                        " knows no master 'other'"));
}

TEST(RedisSentinelTest, ASentinelThatWantsAPasswordGetsThatOfRedis) {
  Node node({"--requirepass", "word"});
  const SentinelNode sentinel(node.port(), "sentinel auth-pass mymaster word\nrequirepass word\n");
  const RedisOptions options = Options(UrlOf({sentinel.port()}, kMaster, ":word@"));
  const auto connected = Eventually([&] { return RedisConnection::Connect(options); });
  ASSERT_TRUE(connected.ok()) << connected.status();
  EXPECT_EQ((*connected)->Call({"PING"})->text, "PONG");
  const Status wrong = FindMaster(Options(UrlOf({sentinel.port()}, kMaster, ":other@"))).status();
  EXPECT_THAT(Message(wrong), HasSubstr("WRONGPASS"));
  EXPECT_THAT(Message(wrong), testing::Not(HasSubstr("other")));
}

TEST(RedisSentinelTest, ResultsMayLieThereToo) {
  Node node;
  const SentinelNode sentinel(node.port());
  ASSERT_TRUE(Eventually([&] { return FindMaster(Options(UrlOf({sentinel.port()}))); }).ok());
  const auto store = storage::OpenStore(UrlOf({sentinel.port()}) + "&ttl=1h");
  ASSERT_TRUE(store.ok()) << store.status();
}

}  // namespace
}  // namespace phasor::redis
