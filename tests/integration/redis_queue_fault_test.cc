// What callers see while Redis forgets its scripts, dies, hangs, loads or is full.

#include <thread>

#include "absl/synchronization/notification.h"
#include "common/testing/redis_server.h"
#include "tests/integration/redis_queue_under_test.h"

namespace phasor::queue {
namespace {

TakeRequest AnyTake(const std::string& nonce) {
  TakeRequest request;
  request.worker = "worker";
  request.nonce = nonce;
  request.models = {"model-a"};
  return request;
}

// Calls until the queue answers; the connection may need a moment after a restart.
StatusOr<SubmitReply> SubmitUntilAnswered(RedisQueue& queue, const SubmitRequest& request) {
  StatusOr<SubmitReply> reply = queue.Submit(request);
  for (int i = 0; i < 500 && !reply.ok(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    reply = queue.Submit(request);
  }
  return reply;
}

TEST(RedisQueueFaultTest, ReloadsItsScriptsAfterAFlush) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  ASSERT_TRUE(redis.queue().Submit(TestRequest(1)).ok());
  ASSERT_EQ(redis.Call({"SCRIPT", "FLUSH"}).text, "OK");
  EXPECT_EQ(redis.queue().Submit(TestRequest(2))->outcome, SubmitOutcome::kAccepted);
  ASSERT_EQ(redis.Call({"SCRIPT", "FLUSH"}).text, "OK");
  const auto replies = redis.queue().SubmitAll({TestRequest(3), TestRequest(2), TestRequest(4)});
  EXPECT_EQ(replies[0]->outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(replies[1]->outcome, SubmitOutcome::kDuplicate);
  EXPECT_EQ(replies[2]->outcome, SubmitOutcome::kAccepted);
  ASSERT_EQ(redis.Call({"SCRIPT", "FLUSH"}).text, "OK");
  EXPECT_TRUE(redis.queue().Take(AnyTake("n"))->has_value());
  EXPECT_EQ(redis.queue().Stats()->live, 4);
}

TEST(RedisQueueFaultTest, SaysHowToHelpWhenRedisIsNotThere) {
  RedisQueue queue(OptionsFor("unix:///nonexistent/redis.sock"));
  const Status status = queue.Submit(TestRequest(1)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(Message(status).find("cannot reach Redis at unix:///nonexistent/redis.sock"),
            std::string::npos)
      << status;
  EXPECT_NE(Message(status).find("Is redis-server running"), std::string::npos) << status;
  EXPECT_EQ(queue.Stats().status().code(), StatusCode::kUnavailable);
  const SteadyTime start = std::chrono::steady_clock::now();
  queue.WaitForWork(Millis(20));
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 2.0);
}

TEST(RedisQueueFaultTest, AcknowledgedJobsSurviveAKillAndCallsFailInTimeMeanwhile) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  for (int n = 0; n < 50; ++n) ASSERT_TRUE(redis.queue().Submit(TestRequest(n)).ok());
  server.Kill();
  const SteadyTime start = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(redis.queue().Submit(TestRequest(99)).status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(redis.queue().Take(AnyTake("n")).status().code(), StatusCode::kUnavailable);
  }
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 4.0);

  server.Start();
  EXPECT_EQ(SubmitUntilAnswered(redis.queue(), TestRequest(99))->outcome, SubmitOutcome::kAccepted);
  EXPECT_EQ(redis.queue().Stats()->live, 51);
  EXPECT_EQ(redis.queue().Submit(TestRequest(3))->outcome, SubmitOutcome::kDuplicate);
}

TEST(RedisQueueFaultTest, ARedisThatHangsIsUnavailableWithinTheTimeLimit) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  RedisOptions options = OptionsFor(server.url());
  options.command_timeout = Millis(100);
  RedisQueue impatient(options);
  ASSERT_TRUE(impatient.Submit(TestRequest(1)).ok());
  server.Pause();
  const SteadyTime start = std::chrono::steady_clock::now();
  const Status status = impatient.Submit(TestRequest(2)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(Message(status).find("no answer within 100 ms"), std::string::npos) << status;
  EXPECT_LT(SecondsBetween(start, std::chrono::steady_clock::now()), 2.0);
  server.Resume();
  // The outcome was unknown; the same submit again is one job.
  ASSERT_TRUE(SubmitUntilAnswered(impatient, TestRequest(2)).ok());
  EXPECT_EQ(redis.queue().Stats()->live, 2);
}

TEST(RedisQueueFaultTest, AFullRedisRefusesNewJobsAndFinishesTheOldOnes) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(redis.queue().Submit(TestRequest(n)).ok());
  ASSERT_TRUE(redis.queue().Take(AnyTake("dying")).ok());
  ASSERT_TRUE(redis.queue().Adopt(TestJobId(0), State::kDead, "").ok());
  ASSERT_TRUE(redis.queue().Submit(TestRequest(10)).ok());
  const int64_t keys = redis.Call({"DBSIZE"}).integer;
  ASSERT_EQ(redis.Call({"CONFIG", "SET", "maxmemory", "1mb"}).text, "OK");
  EXPECT_EQ(redis.queue().Redrive(TestJobId(0), {}).status().code(),
            StatusCode::kResourceExhausted);
  const StatusOr<SubmitReply> refused = redis.queue().Submit(TestRequest(11));
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted) << refused.status();
  EXPECT_EQ(redis.queue().Stats()->live, 10) << "nothing of it happened";
  EXPECT_EQ(redis.Call({"DBSIZE"}).integer, keys) << "no half job";
  EXPECT_EQ(redis.queue().Audit("", 100)->repaired, 0);
  for (int n = 0; n < 10; ++n) {
    const auto grant = redis.queue().Take(AnyTake("n" + std::to_string(n)));
    ASSERT_TRUE(grant.ok()) << grant.status();
    ASSERT_TRUE(grant->has_value());
    RenewRequest renew;
    renew.fence = (*grant)->fence;
    renew.units = 1;
    EXPECT_EQ(redis.queue().Renew(renew).value(), OwnerAnswer::kOk);
    EXPECT_EQ(redis.queue().Complete((*grant)->fence, "r").value(), OwnerAnswer::kOk);
  }
  EXPECT_TRUE(redis.Violations().empty());
  ASSERT_EQ(redis.Call({"CONFIG", "SET", "maxmemory", "0"}).text, "OK");
  EXPECT_TRUE(redis.queue().Submit(TestRequest(11)).ok());
}

TEST(RedisQueueFaultTest, AReadOnlyReplicaIsUnavailable) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  ASSERT_EQ(redis.Call({"REPLICAOF", "127.0.0.1", "1"}).text, "OK");
  const Status status = redis.queue().Submit(TestRequest(1)).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
}

TEST(RedisQueueFaultTest, AWrongPasswordIsNamedAndNotShown) {
  RedisServer server({"--requirepass", "right"});
  for (const std::string password : {"", "geheim"}) {
    RedisOptions options = OptionsFor(server.url());
    options.address.password = password;
    RedisQueue queue(options);
    const Status status = queue.Submit(TestRequest(1)).status();
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << status;
    EXPECT_NE(Message(status).find("password"), std::string::npos) << status;
    EXPECT_EQ(Message(status).find("geheim"), std::string::npos) << status;
  }
  RedisOptions options = OptionsFor(server.url());
  options.address.password = "right";
  EXPECT_TRUE(RedisQueue(options).Submit(TestRequest(1)).ok());
}

TEST(RedisQueueFaultTest, AListenerHearsAgainAfterRedisCameBack) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  std::atomic<int> heard = 0;
  const auto subscription = redis.events().Subscribe([&](const Event&) { ++heard; });
  Event event;
  event.id = TestJobId(1);
  const auto publish_until_heard = [&] {
    const int before = heard;
    for (int i = 0; i < 1000 && heard == before; ++i) {
      (void)redis.events().Publish(event);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return heard > before;
  };
  ASSERT_TRUE(publish_until_heard());
  server.Kill();
  server.Start();
  EXPECT_TRUE(publish_until_heard());
}

TEST(RedisQueueFaultTest, ManyThreadsShareOneConnectionThroughAKill) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 16; ++thread) {
    threads.emplace_back([&, thread] {
      for (int n = 0; n < 50; ++n) {
        const auto reply = SubmitUntilAnswered(redis.queue(), TestRequest(thread * 50 + n));
        accepted += reply.ok();
      }
    });
  }
  server.Kill();
  server.Start();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 800);
  EXPECT_EQ(redis.queue().Stats()->live, 800) << "no submit was lost and none became two jobs";
}

}  // namespace
}  // namespace phasor::queue
