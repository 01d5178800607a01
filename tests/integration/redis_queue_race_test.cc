// Races and rollbacks on a real Redis together with a result store: whatever the queue thinks, the
// terminal record decides, and queue and store agree in the end.

#include <atomic>
#include <barrier>
#include <thread>

#include "common/storage/memory_store.h"
#include "common/testing/redis_server.h"
#include "tests/integration/redis_queue_under_test.h"

namespace phasor::queue {
namespace {

storage::TerminalRecord Record(const JobId& id, State state, const std::string& nonce = "") {
  storage::TerminalRecord record;
  record.id = id;
  record.state = state;
  record.nonce = nonce;
  return record;
}

std::optional<Grant> Take(RedisQueue& queue, const std::string& nonce,
                          const std::string& model = "model-a") {
  TakeRequest take;
  take.worker = "worker";
  take.nonce = nonce;
  take.models = {model};
  return queue.Take(take).value();
}

// What a worker does at its end: the record first, then the queue.
void Publish(RedisQueue& queue, storage::ResultStore& store, const Fence& fence) {
  const auto standing = store.CreateTerminal(Record(fence.id, State::kDone, fence.nonce)).value();
  if (standing.state != State::kDone) return;
  const OwnerAnswer answer = queue.Complete(fence, storage::TerminalKey(fence.id)).value();
  EXPECT_NE(answer, OwnerAnswer::kCanceled) << "the record says DONE";
}

// What a gateway does to cancel: the record first, then the queue.
void Cancel(RedisQueue& queue, storage::ResultStore& store, const JobId& id) {
  const auto standing = store.CreateTerminal(Record(id, State::kCanceled)).value();
  if (standing.state == State::kCanceled) {
    EXPECT_TRUE(queue.Cancel(id, {}).ok());
  } else {
    EXPECT_TRUE(queue.Adopt(id, standing.state, storage::TerminalKey(id)).ok());
  }
}

TEST(RedisQueueRaceTest, TheSameSubmitOverOneHundredConnectionsIsOneJob) {
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  std::atomic<int> accepted = 0;
  std::atomic<int> duplicates = 0;
  std::barrier together(100);
  std::vector<std::thread> clients;
  for (int i = 0; i < 100; ++i) {
    clients.emplace_back([&] {
      RedisOptions options = OptionsFor(server.url());
      options.command_timeout = std::chrono::seconds(30);
      RedisQueue queue(options);
      ASSERT_TRUE(queue.Stats().ok());
      together.arrive_and_wait();
      const SubmitReply reply = queue.Submit(TestRequest(1)).value();
      accepted += reply.outcome == SubmitOutcome::kAccepted;
      duplicates += reply.outcome == SubmitOutcome::kDuplicate;
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(duplicates, 99);
  EXPECT_EQ(redis.queue().Stats()->live, 1);
  EXPECT_EQ(redis.Violations(), std::vector<std::string>());
}

// One job after another is finished by one thread and canceled by another at the same time.
void RaceCancelWithCompletion(RedisQueue& queue, storage::ResultStore& store, int lane, int races,
                              std::atomic<int>* canceled) {
  const std::string model = "model-" + std::to_string(lane);
  Fence fence;
  std::barrier together(2);
  std::thread canceler([&] {
    for (int race = 0; race < races; ++race) {
      together.arrive_and_wait();
      Cancel(queue, store, fence.id);
      together.arrive_and_wait();
    }
  });
  for (int race = 0; race < races; ++race) {
    SubmitRequest request = TestRequest(lane * 1'000'000 + race);
    request.model = model;
    EXPECT_EQ(queue.Submit(request)->outcome, SubmitOutcome::kAccepted);
    const auto grant = Take(queue, "n" + std::to_string(lane) + "-" + std::to_string(race), model);
    fence = grant.value_or(Grant{}).fence;
    EXPECT_EQ(fence.id, request.id);
    together.arrive_and_wait();
    Publish(queue, store, fence);
    together.arrive_and_wait();
    const State state = queue.Get(fence.id, {})->state;
    EXPECT_EQ(state, store.ReadTerminal(fence.id)->state);
    EXPECT_TRUE(state == State::kDone || state == State::kCanceled);
    *canceled += state == State::kCanceled;
    if (race % 10 != 0) continue;
    // Whoever comes late changes nothing.
    Cancel(queue, store, fence.id);
    Publish(queue, store, fence);
    EXPECT_EQ(queue.Get(fence.id, {})->state, state);
  }
  canceler.join();
}

TEST(RedisQueueRaceTest, ACancelRacedWithTheEndGivesExactlyOneOfTheTwo) {
  constexpr int kLanes = 8;
  constexpr int kRaces = 1'250;
  RedisServer server;
  RedisQueueUnderTest redis(server.url());
  RedisOptions options = OptionsFor(server.url());
  options.command_timeout = std::chrono::seconds(30);
  RedisQueue queue(options);
  storage::MemoryStore store;
  std::atomic<int> canceled = 0;
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < kLanes; ++lane) {
    lanes.emplace_back(
        [&, lane] { RaceCancelWithCompletion(queue, store, lane, kRaces, &canceled); });
  }
  for (std::thread& lane : lanes) lane.join();
  EXPECT_GT(canceled, 0);
  EXPECT_LT(canceled, kLanes * kRaces);
  EXPECT_EQ(queue.Stats()->live, 0);
}

// All keys as they are now, to be put back later.
class Rollback {
 public:
  explicit Rollback(RedisQueueUnderTest& redis) : redis_(redis) {
    for (const RedisReply& key : redis_.Call({"KEYS", "*"}).list) {
      dumps_.emplace_back(key.text, redis_.Call({"DUMP", key.text}).text);
    }
  }
  void Apply() {
    redis_.Call({"FLUSHALL"});
    for (const auto& [key, bytes] : dumps_) redis_.Call({"RESTORE", key, "0", bytes});
  }

 private:
  RedisQueueUnderTest& redis_;
  std::vector<std::pair<std::string, std::string>> dumps_;
};

class RedisQueueRollbackTest : public testing::Test {
 protected:
  void ExpectThatItIsFencedInEveryCall(const Fence& fence) {
    RenewRequest renew;
    renew.fence = fence;
    renew.units = 1;
    EXPECT_EQ(queue().Renew(renew).value(), OwnerAnswer::kFenced);
    EXPECT_EQ(queue().Complete(fence, "r").value(), OwnerAnswer::kFenced);
    EXPECT_EQ(queue().Release(fence, "c", 1).value(), OwnerAnswer::kFenced);
    Failure failure;
    failure.fence = fence;
    EXPECT_EQ(queue().Fail(failure).value(), FailOutcome::kFenced);
  }

  RedisQueue& queue() { return redis_.queue(); }

  RedisServer server_;
  RedisQueueUnderTest redis_{server_.url()};
  storage::MemoryStore store_;
};

TEST_F(RedisQueueRollbackTest, AForgottenJobsOwnerIsFencedAndItsRecordWins) {
  Rollback before(redis_);
  ASSERT_TRUE(queue().Submit(TestRequest(1)).ok());
  const Fence old = Take(queue(), "old")->fence;
  before.Apply();
  ExpectThatItIsFencedInEveryCall(old);
  EXPECT_EQ(queue().Adopt(old.id, State::kDone, "r").code(), StatusCode::kNotFound);
  EXPECT_EQ(queue().Cancel(old.id, {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(queue().Redrive(old.id, {}).status().code(), StatusCode::kNotFound);
  // The old owner has published before it was told.
  Publish(queue(), store_, old);

  EXPECT_EQ(queue().Submit(TestRequest(1))->outcome, SubmitOutcome::kAccepted)
      << "the client's repeat is a new job of the same id";
  const Fence now = Take(queue(), "new")->fence;
  EXPECT_EQ(now.id, old.id);
  EXPECT_EQ(now.epoch, old.epoch) << "only the nonce tells the owners apart";
  ExpectThatItIsFencedInEveryCall(old);
  Publish(queue(), store_, now);
  EXPECT_EQ(queue().Get(now.id, {})->state, State::kDone);
  EXPECT_EQ(store_.ReadTerminal(now.id)->nonce, "old") << "the first result stays the only one";
  EXPECT_EQ(redis_.Violations(), std::vector<std::string>());
}

TEST_F(RedisQueueRollbackTest, AJobThatIsQueuedAgainIsFinishedOnce) {
  ASSERT_TRUE(queue().Submit(TestRequest(1)).ok());
  Rollback before(redis_);
  const Fence old = Take(queue(), "old")->fence;
  Publish(queue(), store_, old);
  before.Apply();
  EXPECT_EQ(queue().Get(old.id, {})->state, State::kQueued);
  ExpectThatItIsFencedInEveryCall(old);
  ASSERT_TRUE(queue().Adopt(old.id, store_.ReadTerminal(old.id)->state, "r").ok())
      << "whoever reads the record tells the queue";
  EXPECT_EQ(queue().Get(old.id, {})->state, State::kDone);
  EXPECT_FALSE(Take(queue(), "new").has_value());
  EXPECT_EQ(redis_.Violations(), std::vector<std::string>());
}

TEST_F(RedisQueueRollbackTest, AnEndThatWasRolledBackIsReachedAgain) {
  ASSERT_TRUE(queue().Submit(TestRequest(1)).ok());
  const Fence fence = Take(queue(), "owner")->fence;
  Rollback before(redis_);
  Cancel(queue(), store_, fence.id);
  before.Apply();
  EXPECT_EQ(queue().Get(fence.id, {})->state, State::kLeased);
  Publish(queue(), store_, fence);
  EXPECT_EQ(store_.ReadTerminal(fence.id)->state, State::kCanceled);
  Cancel(queue(), store_, fence.id);
  EXPECT_EQ(queue().Get(fence.id, {})->state, State::kCanceled);
  EXPECT_EQ(queue().Complete(fence, "r").value(), OwnerAnswer::kCanceled);
}

}  // namespace
}  // namespace phasor::queue
