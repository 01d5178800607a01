// The contract's part about what goes wrong: failures, lost workers, seals, adopted records.

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {

TEST_P(QueueContract, ARetryableFailureWaitsAndThenComesBack) {
  MustSubmit(1);
  const Grant grant = MustTake();
  Failure failure;
  failure.fence = grant.fence;
  failure.retryable = true;
  failure.delay = Millis(5'000);
  failure.reason = "the device was lost";
  failure.code = "UNAVAILABLE";
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  const JobView view = View(grant.fence.id);
  EXPECT_EQ(view.state, State::kWaiting);
  EXPECT_EQ(view.tries, 1);
  EXPECT_EQ(view.reason, "the device was lost");
  EXPECT_EQ(maintenance().Stats()->models["model-a"].delayed, 1);
  EXPECT_FALSE(Take().has_value());

  queue_->Advance(Millis(5'001));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(grant.fence.id).state, State::kQueued);
  const Grant next = MustTake();
  EXPECT_EQ(next.tries, 1);
  EXPECT_EQ(next.crashes, 0);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  EXPECT_EQ(View(grant.fence.id).tries, 1) << "a late repeat counts nothing";
}

TEST_P(QueueContract, WhatFailedStandsBehindTheOthersAndWhatWasLostOrGivenBackBeforeThem) {
  for (int n = 1; n <= 6; ++n) MustSubmit(n);
  Failure failure;
  failure.retryable = true;
  failure.fence = MustTake().fence;  // 1
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  failure.delay = Millis(1'000);
  failure.fence = MustTake().fence;  // 2
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  queue_->Advance(Millis(1'001));
  ASSERT_EQ(maintenance().Recover(10).value(), 1);
  failure.worker_lost = true;
  failure.fence = MustTake().fence;  // 3
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  EXPECT_EQ(View(TestJobId(3)).position, 0);
  ASSERT_EQ(MustTake().fence.id, TestJobId(3));
  queue_->Advance(Millis(15'001));
  ASSERT_EQ(maintenance().Recover(10).value(), 1);
  const Grant lost = MustTake();
  ASSERT_EQ(lost.fence.id, TestJobId(3)) << "its worker was lost";
  ASSERT_EQ(consumer().Release(lost.fence, "", 0).value(), OwnerAnswer::kOk);
  std::vector<JobId> order;
  for (const Grant& grant : Drain()) order.push_back(grant.fence.id);
  EXPECT_EQ(order, (std::vector<JobId>{TestJobId(3), TestJobId(4), TestJobId(5), TestJobId(6),
                                       TestJobId(1), TestJobId(2)}));
}

TEST_P(QueueContract, TheSameFaultOnASecondNodeIsFinal) {
  MustSubmit(1);
  const auto fail = [&](const std::string& node, const std::string& fault) {
    Failure failure;
    failure.fence =
        Take("n-" + node + fault + std::to_string(View(TestJobId(1)).tries), node)->fence;
    failure.retryable = true;
    failure.reason = "it can't be drawn";
    failure.code = "INTERNAL";
    failure.fault = fault;
    const FailOutcome outcome = consumer().Fail(failure).value();
    EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
    return outcome;
  };
  QueueLimits limits;
  limits.max_tries = 100;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(fail("node-a", "first"), FailOutcome::kRequeued);
  EXPECT_EQ(fail("node-a", "first"), FailOutcome::kRequeued) << "the node may be to blame";
  EXPECT_EQ(fail("node-b", "other"), FailOutcome::kRequeued);
  EXPECT_EQ(fail("node-a", ""), FailOutcome::kRequeued) << "not the job's";
  EXPECT_EQ(fail("node-a", ""), FailOutcome::kRequeued);
  EXPECT_EQ(fail("node-c", "other"), FailOutcome::kSealed);
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].want, State::kDead);
  EXPECT_EQ(seals[0].reason, "it can't be drawn");
  EXPECT_EQ(View(TestJobId(1)).tries, 6);
}

TEST_P(QueueContract, ALostWorkerInBetweenDoesNotMakeAFaultForgotten) {
  MustSubmit(1);
  Failure failure;
  failure.fence = Take("1", "node-a")->fence;
  failure.retryable = true;
  failure.fault = "first";
  ASSERT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  Failure lost;
  lost.fence = Take("2", "node-b")->fence;
  lost.worker_lost = true;
  ASSERT_EQ(consumer().Fail(lost).value(), FailOutcome::kRequeued);
  failure.fence = Take("3", "node-b")->fence;
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
}

TEST_P(QueueContract, AJobIsSealedAfterItsLastTry) {
  MustSubmit(1);
  for (int attempt = 1; attempt <= 4; ++attempt) {
    Failure failure;
    failure.fence = MustTake().fence;
    failure.retryable = true;
    failure.reason = "again";
    failure.code = "INTERNAL";
    EXPECT_EQ(consumer().Fail(failure).value(),
              attempt < 4 ? FailOutcome::kRequeued : FailOutcome::kSealed);
  }
  EXPECT_EQ(View(TestJobId(1)).state, State::kSealing);
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].id, TestJobId(1));
  EXPECT_EQ(seals[0].want, State::kDead);
  EXPECT_EQ(seals[0].reason, "again");
  EXPECT_EQ(seals[0].code, "INTERNAL");
  EXPECT_EQ(seals[0].epoch, 4);
  EXPECT_EQ(maintenance().Stats()->sealing, 1);

  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDead, "").ok());
  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDead, "").ok());
  EXPECT_EQ(View(TestJobId(1)).state, State::kDead);
  EXPECT_EQ(View(TestJobId(1)).reason, "again");
  EXPECT_EQ(maintenance().Stats()->dead, 1);
  EXPECT_EQ(maintenance().Stats()->live, 0);
  EXPECT_TRUE(maintenance().PendingSeals(10)->empty());
}

TEST_P(QueueContract, AFinalFailureIsSealedAtOnce) {
  MustSubmit(1);
  Failure failure;
  failure.fence = MustTake().fence;
  failure.reason = "the prompt cannot be encoded";
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRepeated);
  EXPECT_FALSE(Take().has_value());
  // The record decides: a worker that was first with its result wins over the seal.
  ASSERT_TRUE(maintenance().Adopt(TestJobId(1), State::kDone, "where").ok());
  EXPECT_EQ(View(TestJobId(1)).state, State::kDone);
  EXPECT_EQ(View(TestJobId(1)).result, "where");
  EXPECT_EQ(maintenance().Adopt(TestJobId(9), State::kDone, "").code(), StatusCode::kNotFound);
}

TEST_P(QueueContract, AnExpiredLeaseGivesTheJobBackAloneAndCountsACrash) {
  MustSubmit(1);
  EXPECT_EQ(Renew(MustTake().fence, 0), OwnerAnswer::kOk);
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  queue_->Advance(Millis(15'001));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(maintenance().Recover(10).value(), 0);
  EXPECT_EQ(View(TestJobId(1)).state, State::kQueued);
  const Grant next = MustTake();
  EXPECT_EQ(next.crashes, 1);
  EXPECT_EQ(next.tries, 0);
  EXPECT_TRUE(next.solo);
}

TEST_P(QueueContract, AJobThatKillsWorkersOnTwoNodesIsDeadAfterThree) {
  MustSubmit(1);
  for (const std::string node : {"node-a", "node-b", "node-a"}) {
    const std::string nonce = "n-" + node + std::to_string(View(TestJobId(1)).crashes);
    EXPECT_EQ(Renew(Take(nonce, node)->fence, 0), OwnerAnswer::kOk);
    queue_->Advance(Millis(16'000));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
  }
  const std::vector<SealRequest> seals = *maintenance().PendingSeals(10);
  ASSERT_EQ(seals.size(), 1u);
  EXPECT_EQ(seals[0].want, State::kDead);
  EXPECT_EQ(seals[0].reason.rfind("WORKER_LOST", 0), 0u) << seals[0].reason;
  EXPECT_EQ(View(TestJobId(1)).crashes, 3);
}

TEST_P(QueueContract, OneBadNodeNeedsTwiceAsManyCrashes) {
  MustSubmit(1);
  for (int crash = 1; crash <= 6; ++crash) {
    EXPECT_TRUE(maintenance().PendingSeals(10)->empty());
    EXPECT_EQ(Renew(MustTake().fence, 0), OwnerAnswer::kOk);
    queue_->Advance(Millis(16'000));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
  }
  EXPECT_EQ(maintenance().PendingSeals(10)->size(), 1u);
}

TEST_P(QueueContract, ALeaseThatWasNeverRenewedGoesBackToTheHeadAndIsNoCrash) {
  for (int n = 1; n <= 2; ++n) MustSubmit(n);
  for (int owner = 1; owner <= 2; ++owner) {
    const Grant grant = MustTake();
    EXPECT_EQ(grant.fence.id, TestJobId(1));
    EXPECT_EQ(grant.fence.epoch, owner);
    EXPECT_EQ(grant.crashes + grant.tries, 0);
    EXPECT_FALSE(grant.solo);
    queue_->Advance(Millis(15'001));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
    EXPECT_EQ(View(TestJobId(1)).code, "UNAVAILABLE");
  }
  const Grant heard = MustTake();
  EXPECT_EQ(Renew(heard.fence, 0), OwnerAnswer::kOk);
  queue_->Advance(Millis(15'001));
  ASSERT_EQ(maintenance().Recover(10).value(), 1);
  EXPECT_EQ(View(TestJobId(1)).crashes, 1);
}

TEST_P(QueueContract, AJobWhoseOwnersAreNeverHeardOfStillEnds) {
  MustSubmit(1);
  int deaths = 0;
  for (; maintenance().PendingSeals(10)->empty(); ++deaths) {
    const std::string node = deaths % 2 == 0 ? "node-a" : "node-b";
    const std::optional<Grant> grant = Take("n" + std::to_string(deaths), node);
    ASSERT_TRUE(grant.has_value());
    EXPECT_EQ(grant->crashes, std::max(0, deaths - 2));
    EXPECT_EQ(grant->solo, deaths > 2);
    queue_->Advance(Millis(15'001));
    ASSERT_EQ(maintenance().Recover(10).value(), 1);
    EXPECT_EQ(Renew(grant->fence, 1), OwnerAnswer::kFenced);
  }
  EXPECT_EQ(deaths, 5) << "two that may have been silence, and three lost workers";
}

TEST_P(QueueContract, AWorkerThatEndsWithItsJobCountsAsACrash) {
  MustSubmit(1);
  Failure failure;
  failure.worker_lost = true;
  failure.reason = "the device is lost";
  failure.code = "UNAVAILABLE";
  for (const std::string node : {"node-a", "node-b"}) {
    failure.fence = Take("n-" + node, node)->fence;
    EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
    EXPECT_EQ(View(TestJobId(1)).reason, "the device is lost");
  }
  const Grant third = *Take("third", "node-a");
  EXPECT_EQ(third.crashes, 2);
  EXPECT_EQ(third.tries, 0);
  EXPECT_TRUE(third.solo);
  failure.fence = third.fence;
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  EXPECT_EQ(maintenance().PendingSeals(1)->at(0).reason.rfind("WORKER_LOST", 0), 0u);
}

TEST_P(QueueContract, ARecordThatContradictsAnEndWins) {
  for (int n = 1; n <= 2; ++n) MustSubmit(n);
  const Grant grant = MustTake();
  ASSERT_TRUE(maintenance().Adopt(grant.fence.id, State::kDone, "first").ok());
  EXPECT_EQ(Renew(grant.fence, 1), OwnerAnswer::kFenced) << "somebody has told the queue";
  ASSERT_TRUE(maintenance().Adopt(grant.fence.id, State::kDone, "other").ok());
  EXPECT_EQ(View(grant.fence.id).result, "first") << "a repeat changes nothing";
  ASSERT_TRUE(maintenance().Adopt(grant.fence.id, State::kDead, "record").ok());
  EXPECT_EQ(View(grant.fence.id).state, State::kDead);
  EXPECT_EQ(maintenance().Stats()->dead, 1);
  ASSERT_TRUE(maintenance().Adopt(grant.fence.id, State::kCanceled, "record").ok());
  EXPECT_EQ(maintenance().Stats()->dead, 0);
  EXPECT_EQ(maintenance().Stats()->live, 1);
  EXPECT_EQ(maintenance().Adopt(TestJobId(2), State::kLeased, "").code(),
            StatusCode::kInvalidArgument);
}

}  // namespace phasor::queue
