#include "services/worker/take/taker.h"

#include "services/worker/testing/lossy_line.h"
#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

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
  EXPECT_EQ((*again)->grant.fence.epoch, 2);
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
