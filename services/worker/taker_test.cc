#include "services/worker/taker.h"

#include "services/worker/worker_fixture.h"

namespace phasor::worker {
namespace {

// The memory queue, with a note of each call; the next few are carried out without an answer, or
// not even carried out.
class Line final : public queue::Consumer {
 public:
  explicit Line(queue::Consumer& below) : below_(below) {}

  StatusOr<std::optional<queue::Grant>> Take(const queue::TakeRequest& request) override {
    nonces.push_back(request.nonce);
    return Through("take", [&] { return below_.Take(request); });
  }
  StatusOr<queue::NextJob> CompleteAndTake(const queue::Completion& done,
                                           const queue::TakeRequest& request) override {
    nonces.push_back(request.nonce);
    return Through("complete and take", [&] { return below_.CompleteAndTake(done, request); });
  }
  StatusOr<queue::OwnerAnswer> Complete(const queue::Fence& fence,
                                        const std::string& result) override {
    return Through("complete", [&] { return below_.Complete(fence, result); });
  }
  void WaitForWork(Millis timeout) override { below_.WaitForWork(timeout); }
  StatusOr<queue::OwnerAnswer> Renew(const queue::RenewRequest& request) override {
    return below_.Renew(request);
  }
  StatusOr<queue::FailOutcome> Fail(const queue::Failure& failure) override {
    return below_.Fail(failure);
  }
  StatusOr<queue::OwnerAnswer> Release(const queue::Fence& fence, const std::string& checkpoint,
                                       int step) override {
    return below_.Release(fence, checkpoint, step);
  }

  int lost_replies = 0;
  int lost_requests = 0;
  std::vector<std::string> calls;
  std::vector<std::string> nonces;

 private:
  template <typename Call>
  auto Through(const std::string& name, const Call& call) -> decltype(call()) {
    calls.push_back(name);
    if (lost_requests > 0) {
      --lost_requests;
      return Unavailable("the request was lost");
    }
    auto answer = call();
    if (lost_replies == 0) return answer;
    --lost_replies;
    return Unavailable("the reply was lost");
  }

  queue::Consumer& below_;
};

class TakerTest : public WorkerFixture {
 protected:
  using Calls = std::vector<std::string>;

  // Takes a job and owes the queue its end.
  job::JobId TakeAndOwe() {
    const auto taken = taker_.Take({"tiny"});
    EXPECT_TRUE(taken.ok() && taken->has_value());
    const queue::Fence fence = (*taken)->grant.fence;
    taker_.Owe({fence, "result of " + fence.id});
    line_.calls.clear();
    line_.nonces.clear();
    return fence.id;
  }

  Line line_{queue_};
  Taker taker_{line_, patience_, {.worker = "w1", .node = "n1"}};
};

TEST_F(TakerTest, TheEndOfAJobTravelsWithTheNextTake) {
  Submit();
  const job::JobId second = Submit();
  const job::JobId first = TakeAndOwe();
  const auto next = taker_.Take({"tiny"});
  EXPECT_EQ((*next)->grant.fence.id, second);
  EXPECT_EQ(View(first).state, job::State::kDone);
  EXPECT_EQ(View(first).result, "result of " + first);
  EXPECT_FALSE(taker_.Take({"tiny"})->has_value());
  EXPECT_EQ(line_.calls, (Calls{"complete and take", "take"})) << "it is told once";
}

TEST_F(TakerTest, ALostReplyIsAskedForAgainWithTheEndAndTheSameNonce) {
  Submit();
  const job::JobId second = Submit();
  const job::JobId first = TakeAndOwe();
  line_.lost_replies = 1;
  EXPECT_EQ(taker_.Take({"tiny"}).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(taker_.MayHoldJob());
  EXPECT_EQ((*taker_.Take({"tiny"}))->grant.fence.id, second);
  EXPECT_EQ(line_.calls, (Calls{"complete and take", "complete and take"}));
  EXPECT_EQ(line_.nonces[0], line_.nonces[1]);
  EXPECT_EQ(View(second).epoch, 1) << "one grant";
  EXPECT_EQ(View(first).state, job::State::kDone);
}

TEST_F(TakerTest, AnEndThatCantBeToldWithinTheLeaseIsLeftToTheNextOwner) {
  Submit();
  const job::JobId first = TakeAndOwe();
  line_.lost_requests = 2;
  EXPECT_FALSE(taker_.Take({"tiny"}).ok());
  clock_.Advance(Millis(15'000));
  EXPECT_FALSE(taker_.Take({"tiny"}).ok());
  const auto again = taker_.Take({"tiny"});
  EXPECT_EQ(line_.calls, (Calls{"complete and take", "complete and take", "take"}));
  ASSERT_TRUE(again->has_value()) << "its lease is over";
  EXPECT_EQ((*again)->grant.fence.id, first);
  EXPECT_EQ((*again)->grant.crashes, 1);
}

TEST_F(TakerTest, SettlingTellsTheEndAlone) {
  Submit();
  const job::JobId first = TakeAndOwe();
  line_.lost_requests = line_.lost_replies = 1;
  taker_.Settle();
  EXPECT_EQ(View(first).state, job::State::kDone);
  EXPECT_EQ(line_.calls, (Calls{"complete", "complete", "complete"}));
  taker_.Settle();
  EXPECT_EQ(line_.calls.size(), 3u) << "nothing is owed any more";
}

TEST_F(TakerTest, SettlingGivesUpWhenTheLeaseIsOver) {
  Submit();
  TakeAndOwe();
  line_.lost_requests = 1'000'000;
  const SteadyTime begin = clock_.Steady();
  taker_.Settle();
  EXPECT_GE(clock_.Steady() - begin, Millis(15'000));
  EXPECT_LT(clock_.Steady() - begin, Millis(20'000));
}

TEST_F(TakerTest, WhoHasLostItsJobMeanwhileTakesTheNext) {
  Submit();
  const job::JobId first = TakeAndOwe();
  clock_.Advance(Millis(15'000));
  ASSERT_EQ(*queue_.Recover(10), 1);
  const auto other = queue_.Take({.worker = "w2", .node = "n2", .nonce = "2", .models = {"tiny"}});
  ASSERT_EQ((*other)->fence.id, first);
  const job::JobId second = Submit();
  const auto next = taker_.Take({"tiny"});
  EXPECT_EQ((*next)->grant.fence.id, second);
  EXPECT_EQ(View(first).state, job::State::kLeased) << "the other's";
}

}  // namespace
}  // namespace phasor::worker
