// The queue's contract against a real Redis, and Redis against the queue in memory.

#include <random>

#include "absl/synchronization/notification.h"
#include "common/queue/memory_queue.h"
#include "common/testing/redis_server.h"
#include "tests/integration/redis_queue_under_test.h"

namespace phasor::queue {
namespace {

const std::string& SharedServerUrl() {
  static RedisServer server;
  return server.url();
}

std::unique_ptr<QueueUnderTest> Make() {
  return std::make_unique<RedisQueueUnderTest>(SharedServerUrl());
}

INSTANTIATE_TEST_SUITE_P(Redis, QueueContract, testing::Values(&Make));

class MemoryQueueUnderTest final : public QueueUnderTest {
 public:
  Producer& producer() override { return queue_; }
  Consumer& consumer() override { return queue_; }
  Maintenance& maintenance() override { return queue_; }
  Control& control() override { return queue_; }
  EventChannel& events() override { return queue_; }
  void Advance(Millis by) override { clock_.Advance(by); }
  std::vector<std::string> Violations() override { return queue_.Violations(); }

 private:
  FakeClock clock_;
  MemoryQueue queue_{clock_};
};

TEST(RedisQueueTest, AnswersEveryCallAsTheQueueInMemoryDoes) {
  for (int walk = 0; walk < 2; ++walk) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    MemoryQueueUnderTest memory;
    RedisQueueUnderTest redis(SharedServerUrl());
    const std::vector<std::string> expected = RandomWalk(memory, seed, 1000);
    const std::vector<std::string> actual = RandomWalk(redis, seed, 1000);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(actual[i], expected[i]) << "line " << i;
  }
}

TEST(RedisQueueTest, TheRecordOfAJobThatEndedExpiresWithItsSpec) {
  RedisQueueUnderTest redis(SharedServerUrl());
  SubmitRequest request = TestRequest(1);
  request.keep = Millis(100'000);
  ASSERT_TRUE(redis.producer().Submit(request).ok());
  for (const std::string kind : {"j:", "s:"}) {
    const std::string key = "{phasor}:" + kind + request.id;
    EXPECT_EQ(redis.Call({"PTTL", key}).integer, -1) << "only what has ended expires";
  }
  ASSERT_TRUE(redis.producer().Cancel(request.id, "").ok());
  for (const std::string kind : {"j:", "s:"}) {
    const std::string key = "{phasor}:" + kind + request.id;
    EXPECT_GT(redis.Call({"PTTL", key}).integer, 90'000);
    EXPECT_EQ(redis.Call({"DEL", key}).integer, 1);
  }
  EXPECT_EQ(redis.Call({"ZCARD", "{phasor}:all"}).integer, 1);
  ASSERT_TRUE(redis.maintenance().Recover(10).ok());
  EXPECT_EQ(redis.Call({"ZCARD", "{phasor}:all"}).integer, 0) << "the list forgets it, too";
}

TEST(RedisQueueTest, LeavesNothingBehindButTheRecords) {
  RedisQueueUnderTest redis(SharedServerUrl());
  for (int n = 0; n < 20; ++n) ASSERT_TRUE(redis.producer().Submit(TestRequest(n)).ok());
  for (int n = 0; n < 20; ++n) {
    TakeRequest take;
    take.nonce = "n" + std::to_string(n);
    take.models = {"model-a"};
    const std::optional<Grant> grant = redis.consumer().Take(take).value();
    ASSERT_TRUE(grant.has_value());
    ASSERT_EQ(redis.consumer().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
  }
  for (const std::string key :
       {"live", "lease", "delay", "seal", "due", "tn", "q:model-a:2:tenant-a", "ring:model-a:2",
        "dq:model-a:2", "tk:n3"}) {
    const std::string full = "{phasor}:" + key;
    EXPECT_EQ(redis.Call({"EXISTS", full}).integer, 0) << key;
  }
}

TEST(RedisQueueTest, TheBellStaysSmallWhenNobodyListens) {
  RedisQueueUnderTest redis(SharedServerUrl());
  TakeRequest take;
  take.models = {"model-b"};
  for (int n = 0; n < 600; ++n) {
    take.nonce = "n" + std::to_string(n);
    ASSERT_TRUE(redis.consumer().Take(take).ok());
    ASSERT_TRUE(redis.producer().Submit(TestRequest(n)).ok());
  }
  EXPECT_LE(redis.Call({"LLEN", "{phasor}:bell"}).integer, 256);
}

TEST(RedisQueueTest, AForeignMessageOnTheEventChannelIsIgnored) {
  RedisQueueUnderTest redis(SharedServerUrl());
  absl::Notification heard;
  const auto subscription = redis.events().Subscribe([&](const Event& event) {
    if (event.id == TestJobId(7)) heard.Notify();
  });
  while (redis.Call({"PUBLISH", "{phasor}:ev", "garbage"}).integer == 0) {
  }
  Event event;
  event.id = TestJobId(7);
  ASSERT_TRUE(redis.events().Publish(event).ok());
  EXPECT_TRUE(heard.WaitForNotificationWithTimeout(absl::Seconds(5)));
}

}  // namespace
}  // namespace phasor::queue
