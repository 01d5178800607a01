// What the pipeline does about servers that answer, but not as they should. A server of the test's
// own answers, since no Redis can be made to say these things at will.

#include "common/redis/command_pipeline.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

namespace phasor::redis {
namespace {

const std::string kNoAnswer = "none";
const std::string kHangUp = "hang up";

// Answers each PING with what `answer` says for the connection's number, from 1.
class FakeRedis {
 public:
  using Answer = std::function<std::string(int connection)>;

  explicit FakeRedis(Answer answer) : answer_(std::move(answer)) {
    std::string folder = std::filesystem::temp_directory_path() / "phasor-fake-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof(address.sun_path) - 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    accepting_ = std::thread([this] { Accept(); });
  }
  ~FakeRedis() {
    shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    for (std::thread& thread : serving_) thread.join();
    for (const int fd : open_) close(fd);
    close(listener_);
    std::filesystem::remove_all(folder_);
  }

  RedisOptions Options() const {
    RedisOptions options;
    options.address.socket = path();
    return options;
  }

 private:
  std::string path() const { return folder_ + "/redis.sock"; }

  void Accept() {
    for (int fd = accept(listener_, nullptr, nullptr); fd >= 0;
         fd = accept(listener_, nullptr, nullptr)) {
      open_.push_back(fd);
      serving_.emplace_back([this, fd, number = static_cast<int>(open_.size())] {
        std::string pending;
        char bytes[4096];
        for (ssize_t got = recv(fd, bytes, sizeof(bytes), 0); got > 0;
             got = recv(fd, bytes, sizeof(bytes), 0)) {
          pending.append(bytes, static_cast<size_t>(got));
          for (size_t at = pending.find("PING\r\n"); at != std::string::npos;
               at = pending.find("PING\r\n")) {
            pending.erase(0, at + 6);
            const std::string answer = answer_(number);
            if (answer == kHangUp) shutdown(fd, SHUT_RDWR);
            if (answer == kNoAnswer || answer == kHangUp) continue;
            const std::string reply = answer + "\r\n";
            if (send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return;
          }
        }
      });
    }
  }

  const Answer answer_;
  std::string folder_;
  int listener_ = -1;
  std::thread accepting_;
  std::vector<int> open_;  // the accepting thread's
  std::vector<std::thread> serving_;
};

StatusOr<RedisReply> Ping(CommandPipeline& pipeline) { return pipeline.Call({"PING"}); }

TEST(CommandPipelineTest, AServerThatIsNotTheOneToTalkToIsLeft) {
  for (const std::string error :
       {"READONLY You can't write against a read only replica.",
        "READONLY You can't write against a read only replica. script: f00, on @user_script:7.",
        "LOADING Redis is loading the dataset in memory", "MOVED 3999 127.0.0.1:6381",
        "ASK 3999 127.0.0.1:6381", "TRYAGAIN Multiple keys request during rehashing of slot",
        "MISCONF Errors writing to the AOF file: No space left on device",
        "MASTERDOWN Link with MASTER is down", "CLUSTERDOWN The cluster is down",
        "NOREPLICAS Not enough good replicas to write."}) {
    FakeRedis server([&](int connection) { return connection == 1 ? "-" + error : "+PONG"; });
    CommandPipeline pipeline(server.Options());
    ASSERT_EQ(Ping(pipeline)->text, error);
    EXPECT_EQ(pipeline.departures(), 1) << error;
    const StatusOr<RedisReply> meanwhile = Ping(pipeline);
    if (!meanwhile.ok()) {
      EXPECT_EQ(meanwhile.status(), StatusOfError(error)) << "the pause says why";
    }
    StatusOr<RedisReply> reply = meanwhile;
    for (int i = 0; i < 500 && !reply.ok(); ++i) {
      std::this_thread::sleep_for(Millis(5));
      reply = Ping(pipeline);
    }
    ASSERT_TRUE(reply.ok()) << error;
    EXPECT_EQ(reply->text, "PONG");
    EXPECT_EQ(pipeline.connections(), 2) << error;
  }
}

TEST(CommandPipelineTest, AnAnswerThatAnotherServerWouldGiveAsWellKeepsTheConnection) {
  for (const std::string error :
       {"NOPERM User a has no permissions to run the 'set' command", "BUSY Redis is busy",
        "OOM command not allowed when used memory > 'maxmemory'.", "ERR unknown command",
        "NOSCRIPT No matching script.", "WRONGTYPE Operation against a key"}) {
    FakeRedis server([&](int) { return "-" + error; });
    CommandPipeline pipeline(server.Options());
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Ping(pipeline)->text, error);
    EXPECT_EQ(pipeline.connections(), 1) << error;
    EXPECT_EQ(pipeline.departures(), 0) << error;
  }
}

TEST(CommandPipelineTest, OthersOfABatchKeepTheirRepliesWhenOneMakesUsLeave) {
  std::atomic<int> asked = 0;
  FakeRedis server([&](int) { return ++asked == 2 ? "-READONLY no" : "+PONG"; });
  CommandPipeline pipeline(server.Options());
  const std::string ping = FormatCommand({"PING"});
  const auto replies = pipeline.CallAll({ping, ping, ping});
  EXPECT_EQ(replies[0]->text, "PONG");
  EXPECT_EQ(replies[1]->text, "READONLY no");
  EXPECT_EQ(replies[2]->text, "PONG");
  EXPECT_EQ(pipeline.departures(), 1);
}

// Calls whose time runs out while they wait, again and again: the lead reaches some of their
// callers in the moment in which they give up.
TEST(CommandPipelineTest, ACallerWhoseTimeIsOverDoesNotServeTheOthersForEver) {
  FakeRedis server([](int) {
    std::this_thread::sleep_for(Millis(4));
    return "+PONG";
  });
  RedisOptions options = server.Options();
  options.connect_timeout = Millis(10);
  options.command_timeout = Millis(40);
  CommandPipeline pipeline(options);
  const SteadyTime end = std::chrono::steady_clock::now() + Millis(2'000);
  std::atomic<double> longest = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < 48; ++i) {
    callers.emplace_back([&] {
      while (std::chrono::steady_clock::now() < end) {
        const SteadyTime start = std::chrono::steady_clock::now();
        (void)Ping(pipeline);
        const double took = SecondsBetween(start, std::chrono::steady_clock::now());
        for (double known = longest; took > known;) {
          if (longest.compare_exchange_weak(known, took)) break;
        }
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LT(longest, 1.2) << "the limit is 100 ms, and a batch takes 200";
}

TEST(CommandPipelineTest, ACallIsSentWhileTheReplyToAnotherIsAwaited) {
  std::atomic<int> asked = 0;
  FakeRedis server([&](int) { return ++asked < 3 ? kNoAnswer : "+1\r\n+2\r\n+3"; });
  CommandPipeline pipeline(server.Options());
  std::vector<std::thread> callers;
  std::vector<std::string> replies(3);
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&, i] { replies[i] = Ping(pipeline)->text; });
    while (asked == i) std::this_thread::yield();
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(replies, (std::vector<std::string>{"1", "2", "3"})) << "each its own";
  EXPECT_EQ(pipeline.connections(), 1);
}

TEST(CommandPipelineTest, OnlySoManyCallsAreUnderWayAndTheOthersSurviveTheConnection) {
  constexpr int kMost = CommandPipeline::kMaxUnderWay;
  constexpr int kMore = 100;
  std::atomic<int> asked = 0;
  FakeRedis server([&](int connection) -> std::string {
    if (connection > 1) return "+PONG";
    return ++asked < kMost ? kNoAnswer : kHangUp;
  });
  CommandPipeline pipeline(server.Options());
  const auto replies =
      pipeline.CallAll(std::vector<std::string>(kMost + kMore, FormatCommand({"PING"})));
  for (int i = 0; i < kMost + kMore; ++i) {
    ASSERT_EQ(replies[i].status().code(), i < kMost ? StatusCode::kUnavailable : StatusCode::kOk)
        << i;
  }
  EXPECT_EQ(pipeline.connections(), 2);
}

TEST(CommandPipelineTest, NothingMoreIsSentToAServerThatIsNotTheOneToTalkTo) {
  std::atomic<int> asked = 0;
  FakeRedis server([&](int connection) -> std::string {
    if (connection > 1) return "+PONG";
    switch (++asked) {
      case 1:
        return kNoAnswer;
      case 2:
        return "-READONLY no";  // to the first
      default:
        return "+late";
    }
  });
  RedisOptions options = server.Options();
  options.command_timeout = Millis(300);
  CommandPipeline pipeline(options);
  std::thread first([&] { EXPECT_EQ(Ping(pipeline)->text, "READONLY no"); });
  while (asked < 1) std::this_thread::yield();
  // The second is under way when the first makes us leave, and its reply is still awaited: the
  // third, which would make the server answer, goes to the next connection or is refused.
  std::thread second([&] { EXPECT_EQ(Ping(pipeline).status().code(), StatusCode::kUnavailable); });
  first.join();
  const StatusOr<RedisReply> third = Ping(pipeline);
  EXPECT_NE(third.ok() ? third->text : "", "late");
  second.join();
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(pipeline.departures(), 1);
}

TEST(CommandPipelineTest, AReplyThatComesTooLateReachesNobody) {
  std::atomic<int> asked = 0;
  FakeRedis server([&](int) {
    if (++asked == 1) std::this_thread::sleep_for(Millis(60));
    return "+" + std::to_string(asked.load());
  });
  RedisOptions options = server.Options();
  options.connect_timeout = Millis(10);
  options.command_timeout = Millis(20);
  CommandPipeline pipeline(options);
  EXPECT_EQ(Ping(pipeline).status().code(), StatusCode::kUnavailable);
  StatusOr<RedisReply> reply = Ping(pipeline);
  for (int i = 0; i < 500 && !reply.ok(); ++i) reply = Ping(pipeline);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->text, std::to_string(asked.load()));
}

}  // namespace
}  // namespace phasor::redis
