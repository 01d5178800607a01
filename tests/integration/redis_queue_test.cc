// The queue's contract against a real Redis, and Redis against the queue in memory.

#include <random>

#include "absl/synchronization/notification.h"
#include "common/queue/memory/memory_queue.h"
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
  void DeclareWhole() override { queue_.DeclareWhole(); }
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
    for (size_t i = 0; i < std::min(actual.size(), expected.size()); ++i) {
      ASSERT_EQ(actual[i], expected[i]) << "line " << i;
    }
    ASSERT_EQ(actual.size(), expected.size());
  }
}

SubmitRequest Unasked(int n) {
  SubmitRequest request = TestRequest(n);
  request.unless_forgotten = true;
  return request;
}

SubmitOutcome OutcomeOf(RedisQueueUnderTest& redis, int n) {
  StatusOr<SubmitReply> reply = redis.producer().Submit(Unasked(n));
  // The connection to the Redis of before is broken once.
  for (int i = 0; i < 1000 && !reply.ok(); ++i) {
    std::this_thread::sleep_for(Millis(5));
    reply = redis.producer().Submit(Unasked(n));
  }
  return reply->outcome;
}

TEST(RedisQueueTest, ARedisThatWasStartedAgainMayHaveForgottenAnything) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  redis.DeclareWhole();
  EXPECT_EQ(OutcomeOf(redis, 1), SubmitOutcome::kAccepted);
  server.Kill();
  server.Start();
  EXPECT_EQ(OutcomeOf(redis, 2), SubmitOutcome::kUnknown);
}

TEST(RedisQueueTest, ARedisThatFollowedAnotherOneMayHaveForgottenAnything) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  redis.DeclareWhole();
  EXPECT_EQ(OutcomeOf(redis, 1), SubmitOutcome::kAccepted);
  // A failover and another one back: the same process, other data.
  redis.Call({"REPLICAOF", "127.0.0.1", "1"});
  redis.Call({"REPLICAOF", "NO", "ONE"});
  EXPECT_EQ(OutcomeOf(redis, 2), SubmitOutcome::kUnknown);
}

TEST(RedisQueueTest, WhatEvictsMayHaveForgottenAnything) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  redis.DeclareWhole();
  redis.Call({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const std::string filler(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) redis.Call({"SET", "filler:" + std::to_string(i), filler});
  EXPECT_EQ(OutcomeOf(redis, 1), SubmitOutcome::kAccepted);
  redis.Call({"CONFIG", "SET", "maxmemory", "6mb"});
  redis.Call({"SET", "filler:8", filler});
  redis.Call({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(OutcomeOf(redis, 2), SubmitOutcome::kUnknown);
}

TEST(RedisQueueTest, WhatWasForgottenLongAgoIsFoundInLayersBelow) {
  RedisQueueUnderTest redis(SharedServerUrl());
  redis.DeclareWhole();
  // As many forgotten before as fill so many layers.
  const std::vector<std::string> counts = {"0", "32767", "32768", "98303", "98304", "100000000"};
  int n = 0;
  for (const std::string& count : counts) {
    redis.Call({"HSET", "{phasor}:cfg", "forgotten", count});
    for (int i = 0; i < 20; ++i) {
      SubmitRequest request = TestRequest(n++);
      request.keep = Millis(1'000);
      ASSERT_TRUE(redis.producer().Submit(request).ok());
      ASSERT_TRUE(redis.producer().Cancel(request.id, {}).ok());
    }
    redis.Advance(Millis(2'000));
    ASSERT_EQ(redis.maintenance().Forget(100).value(), 20);
  }
  for (int i = 0; i < n; ++i) EXPECT_EQ(OutcomeOf(redis, i), SubmitOutcome::kUnknown) << i;
  for (int i = n; i < n + 20; ++i) EXPECT_EQ(OutcomeOf(redis, i), SubmitOutcome::kAccepted) << i;
  for (const auto& [layer, bytes] : std::map<std::string, int>{{"0", 1 << 16}, {"7", 1 << 23}}) {
    const int64_t length = redis.Call({"STRLEN", "{phasor}:fgt" + layer}).AsInteger();
    EXPECT_LE(length, bytes);
    EXPECT_GT(length, bytes / 2);
  }
}

TEST(RedisQueueTest, AJobThatEndedIsForgottenAfterItsTimeWithItsSpecAndOutOfAllLists) {
  RedisQueueUnderTest redis(SharedServerUrl());
  for (int n = 0; n < 3; ++n) {
    SubmitRequest request = TestRequest(n);
    request.keep = Millis(100'000 * (3 - n));
    ASSERT_TRUE(redis.producer().Submit(request).ok());
    if (n == 0) continue;
    ASSERT_TRUE(redis.producer().Cancel(request.id, {}).ok());
  }
  for (const auto& [later, left] : std::vector<std::pair<int, int>>{
           {99'000, 3}, {2'000, 2}, {98'000, 2}, {2'000, 1}, {1'000'000, 1}}) {
    redis.Advance(Millis(later));
    ASSERT_TRUE(redis.maintenance().Forget(10).ok());
    EXPECT_EQ(redis.Call({"ZCARD", "{phasor}:all"}).integer, left);
    EXPECT_EQ(redis.Call({"KEYS", "{phasor}:s:*"}).list.size(), static_cast<size_t>(left));
    EXPECT_EQ(redis.Call({"KEYS", "{phasor}:j:*"}).list.size(), static_cast<size_t>(left - 1));
    EXPECT_EQ(redis.Violations(), std::vector<std::string>());
  }
  EXPECT_TRUE(redis.producer().Get(TestJobId(0), {}).ok()) << "one that waits is never forgotten";
  EXPECT_EQ(redis.producer().Get(TestJobId(1), {}).status().code(), StatusCode::kNotFound);
}

TEST(RedisQueueTest, AFullRedisForgetsWhatEndedAndTakesNewJobs) {
  // What waits to be appended to a file counts as used and not against the limit.
  const RedisServer without_a_file({"--appendonly", "no"});
  RedisQueueUnderTest redis(without_a_file.url());
  SubmitRequest request = TestRequest(0);
  for (int n = 0; n < 300; ++n) {
    request.id = TestJobId(n);
    request.spec = std::string(10'000, 'x');
    ASSERT_TRUE(redis.producer().Submit(request).ok());
    ASSERT_TRUE(redis.producer().Cancel(request.id, {}).ok());
  }
  request.id = TestJobId(1'000);
  const int64_t used = redis.maintenance().Stats()->memory_used;
  ASSERT_GT(used, 3'000'000);
  EXPECT_EQ(redis.maintenance().Forget(100).value(), 0) << "a Redis without a limit is never full";
  redis.Call({"CONFIG", "SET", "maxmemory", std::to_string(used * 2)});
  EXPECT_EQ(redis.maintenance().Forget(100).value(), 0) << "half full";
  redis.Call({"CONFIG", "SET", "maxmemory", std::to_string(used - 1'000'000)});
  EXPECT_EQ(redis.producer().Submit(request).status().code(), StatusCode::kResourceExhausted);
  while (redis.maintenance().Forget(10).value() > 0) {
  }
  const QueueStats stats = redis.maintenance().Stats().value();
  EXPECT_LT(stats.memory_used, stats.memory_limit * 3 / 4);
  EXPECT_GE(stats.ended, 1) << "as many as there is room for";
  EXPECT_EQ(redis.producer().Submit(request)->outcome, SubmitOutcome::kAccepted);
  redis.Call({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(redis.Violations(), std::vector<std::string>());
}

TEST(RedisQueueTest, AListOfWhatRunsLooksAtNothingElse) {
  RedisQueueUnderTest redis(SharedServerUrl());
  std::vector<SubmitRequest> many;
  for (int n = 0; n < 6'000; ++n) many.push_back(TestRequest(n));
  for (size_t first = 0; first < many.size(); first += 500) {
    for (const auto& reply :
         redis.producer().SubmitAll({many.begin() + first, many.begin() + first + 500})) {
      ASSERT_TRUE(reply.ok());
    }
  }
  TakeRequest take;
  take.nonce = "n";
  take.models = {"model-a"};
  const Grant grant = *redis.consumer().Take(take).value();
  ListRequest request;
  request.states = {State::kLeased};
  const ListReply running = redis.producer().List(request).value();
  ASSERT_EQ(running.jobs.size(), 1u) << "behind thousands of newer ones";
  EXPECT_EQ(running.jobs[0].id, grant.fence.id);
  EXPECT_EQ(running.next_page, "");
  request.states = {State::kWaiting, State::kSealing};
  EXPECT_TRUE(redis.producer().List(request)->jobs.empty());
  EXPECT_EQ(redis.producer().List(request)->next_page, "");
}

TEST(RedisQueueTest, AListThatMatchesLittleIsBoundedAndSaysWhereToGoOn) {
  RedisQueueUnderTest redis(SharedServerUrl());
  SubmitRequest request = TestRequest(0);
  request.model = "rare";
  ASSERT_TRUE(redis.producer().Submit(request).ok());
  std::vector<SubmitRequest> many;
  for (int n = 1; n <= 6'000; ++n) many.push_back(TestRequest(n));
  for (size_t first = 0; first < many.size(); first += 500) {
    for (const auto& reply :
         redis.producer().SubmitAll({many.begin() + first, many.begin() + first + 500})) {
      ASSERT_TRUE(reply.ok());
    }
  }
  ListRequest list;
  list.model = "rare";
  ListReply page = redis.producer().List(list).value();
  EXPECT_TRUE(page.jobs.empty());
  int calls = 1;
  for (; page.jobs.empty() && !page.next_page.empty(); ++calls) {
    list.page = page.next_page;
    page = redis.producer().List(list).value();
  }
  ASSERT_EQ(page.jobs.size(), 1u);
  EXPECT_EQ(page.jobs[0].model, "rare");
  EXPECT_GT(calls, 1);
  EXPECT_LT(calls, 10);
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
  for (const std::string key : {"live", "lease", "delay", "seal", "due", "tn",
                                "q:model-a:2:tenant-a", "ring:model-a:2", "dq:model-a:2", "tk"}) {
    const std::string full = "{phasor}:" + key;
    EXPECT_EQ(redis.Call({"EXISTS", full}).integer, 0) << key;
  }
}

int64_t ScriptCalls(RedisQueueUnderTest& redis) {
  const std::string info = redis.Call({"INFO", "commandstats"}).text;
  const size_t at = info.find("cmdstat_evalsha:calls=");
  return at == std::string::npos ? 0 : std::atoll(info.c_str() + at + 22);
}

TEST(RedisQueueTest, SubmitsThatWaitTogetherShareAScript) {
  RedisQueueUnderTest redis(SharedServerUrl());
  std::vector<SubmitRequest> requests;
  for (int n = 0; n < 150; ++n) requests.push_back(TestRequest(n % 140));
  ASSERT_TRUE(redis.producer().Submit(TestRequest(500)).ok()) << "the script is loaded";
  const int64_t before = ScriptCalls(redis);
  const auto replies = redis.producer().SubmitAll(requests);
  EXPECT_EQ(ScriptCalls(redis) - before, 3) << "at most 64 in each";
  for (size_t n = 0; n < replies.size(); ++n) {
    EXPECT_EQ(replies[n]->outcome, n < 140 ? SubmitOutcome::kAccepted : SubmitOutcome::kDuplicate);
  }
  EXPECT_EQ(redis.Violations(), std::vector<std::string>());
}

TEST(RedisQueueTest, OneScriptServesSeveralWorkersAsSeveralScriptsWould) {
  RedisQueueUnderTest redis(SharedServerUrl());
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(redis.producer().Submit(TestRequest(n)).ok());
  std::vector<std::string_view> take = {"EVAL",   scripts::kTake.text, "1", "{phasor}:", "0", "1",
                                        "model-a"};
  for (const char* nonce : {"n1", "n2", "n1", "n3", "n4"}) {
    for (const char* argument : {"worker", "node", nonce, "15000", "", "", "", ""}) {
      take.emplace_back(argument);
    }
  }
  const RedisReply grants = redis.Call(take);
  ASSERT_EQ(grants.list.size(), 5u);
  for (size_t i : {0, 1, 3}) EXPECT_EQ(grants[i].list.size(), 17u);
  EXPECT_NE(grants[0][1].text, grants[1][1].text);
  EXPECT_EQ(grants[2][1].text, grants[0][1].text) << "the same nonce, the same grant";
  EXPECT_EQ(grants[4].list.size(), 1u) << "nothing is left";
  EXPECT_EQ(redis.Violations(), std::vector<std::string>());

  std::vector<std::string_view> complete = {"EVAL", scripts::kComplete.text, "1", "{phasor}:", "0"};
  for (const auto& [grant, nonce] :
       std::vector<std::pair<size_t, const char*>>{{0, "n1"}, {0, "n1"}, {1, "n3"}, {3, "n3"}}) {
    for (const std::string_view argument :
         {std::string_view(grants[grant][1].text), std::string_view("1"), std::string_view(nonce),
          std::string_view("result")}) {
      complete.push_back(argument);
    }
  }
  const RedisReply answers = redis.Call(complete);
  ASSERT_EQ(answers.list.size(), 4u);
  EXPECT_EQ(answers[0].text, "OK");
  EXPECT_EQ(answers[1].text, "REPEATED");
  EXPECT_EQ(answers[2].text, "FENCED") << "somebody else's nonce";
  EXPECT_EQ(answers[3].text, "OK");
  EXPECT_EQ(redis.Violations(), std::vector<std::string>());
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
