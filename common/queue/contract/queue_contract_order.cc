// The contract's part about the order of takes.

#include <algorithm>

#include "common/queue/contract/queue_contract.h"
#include "common/queue/order.h"

namespace phasor::queue {

TEST_P(QueueContract, JobsOfOneTenantComeInTheOrderOfTheirSubmits) {
  SubmitMany(5, Priority::kNormal);
  EXPECT_EQ(View(TestJobId(4)).position, 3);
  const std::vector<Grant> grants = Drain();
  ASSERT_EQ(grants.size(), 5u);
  for (int n = 1; n <= 5; ++n) EXPECT_EQ(grants[n - 1].fence.id, TestJobId(n));
}

TEST_P(QueueContract, ClassesShareSixtyFourToSixteenToFourToOne) {
  SubmitMany(140, Priority::kUrgent);
  SubmitMany(40, Priority::kHigh);
  SubmitMany(12, Priority::kNormal);
  SubmitMany(4, Priority::kLow);
  const std::map<Priority, int> shares = Shares(170);
  EXPECT_EQ(shares.at(Priority::kUrgent), 128);
  EXPECT_EQ(shares.at(Priority::kHigh), 32);
  EXPECT_EQ(shares.at(Priority::kNormal), 8);
  EXPECT_EQ(shares.at(Priority::kLow), 2);
}

TEST_P(QueueContract, AClassThatIdledEarnsNoCredit) {
  SubmitMany(150, Priority::kUrgent);
  Shares(80);
  SubmitMany(60, Priority::kNormal);
  EXPECT_LE(Shares(34)[Priority::kNormal], 3);
}

TEST_P(QueueContract, AnOverdueClassGetsEveryFourthTake) {
  SubmitMany(20, Priority::kLow);
  queue_->Advance(Millis(kMaxWaitMs[3] + 1'000));
  SubmitMany(60, Priority::kUrgent);
  std::map<Priority, int> shares = Shares(40);
  EXPECT_GE(shares[Priority::kLow], 10);
  EXPECT_LE(shares[Priority::kLow], 11);
}

TEST_P(QueueContract, TenantsTakeTurns) {
  SubmitRequest heavy = TestRequest(0);
  heavy.tenant = "a";
  SubmitRequest light = heavy;
  light.tenant = "b";
  SubmitMany(6, heavy);
  SubmitMany(3, light);
  EXPECT_EQ(Tenants(9), "abababaaa");
}

TEST_P(QueueContract, TurnsAreWeighedByCost) {
  SubmitRequest heavy = TestRequest(0);
  heavy.tenant = "a";
  heavy.cost = 4;
  SubmitRequest light = heavy;
  light.tenant = "b";
  light.cost = 1;
  SubmitMany(5, heavy);
  SubmitMany(12, light);
  EXPECT_EQ(Tenants(10), "abbbbabbbb");
}

TEST_P(QueueContract, ATenantThatWasAwayDoesNotCatchUp) {
  SubmitRequest steady = TestRequest(0);
  steady.tenant = "a";
  SubmitRequest returning = steady;
  returning.tenant = "b";
  SubmitMany(20, steady);
  EXPECT_EQ(Tenants(8), "aaaaaaaa");
  SubmitMany(6, returning);
  const std::string order = Tenants(8);
  EXPECT_LE(std::count(order.begin(), order.end(), 'b'), 5) << order;
}

TEST_P(QueueContract, ManyTenantsAreAllServed) {
  for (int i = 0; i < 30; ++i) {
    SubmitRequest request = TestRequest(0);
    request.tenant = "tenant-" + std::to_string(i);
    SubmitMany(2, request);
  }
  std::map<std::string, int> served;
  for (const Grant& grant : Drain(30)) ++served[grant.tenant];
  EXPECT_EQ(served.size(), 30u) << "everybody once before anybody twice";
}

TEST_P(QueueContract, OnlyModelsThatTheWorkerNamedAreGiven) {
  SubmitMany(1, Priority::kNormal);
  EXPECT_FALSE(TakeOf({}).has_value());
  EXPECT_FALSE(TakeOf({"model-b"}).has_value());
  EXPECT_TRUE(TakeOf({"model-b", "model-a"}).has_value());
}

TEST_P(QueueContract, AWarmModelGoesFirstButNotForEver) {
  SubmitRequest cold = TestRequest(0);
  cold.model = "model-b";
  SubmitMany(2, cold);
  SubmitMany(80, Priority::kNormal);
  std::vector<int> cold_turns;
  for (int take = 1; take <= 70; ++take) {
    const std::optional<Grant> grant = TakeOf({"model-a", "model-b"});
    ASSERT_TRUE(grant.has_value());
    if (grant->model == "model-b") cold_turns.push_back(take);
  }
  EXPECT_EQ(cold_turns, (std::vector<int>{33, 66}));
}

TEST_P(QueueContract, AColdModelGoesFirstOnceItHasWaitedLong) {
  SubmitRequest cold = TestRequest(0);
  cold.model = "model-b";
  SubmitMany(1, cold);
  queue_->Advance(Millis(kMaxWaitMs[2] / 4 + 1'000));
  SubmitMany(3, Priority::kNormal);
  EXPECT_EQ(TakeOf({"model-a", "model-b"})->model, "model-b");
  EXPECT_EQ(TakeOf({"model-a", "model-b"})->model, "model-a");
}

TEST_P(QueueContract, OfManyModelsThatHaveWaitedLongTheOldestJobGoesFirst) {
  constexpr int kModels = 12;
  std::vector<std::string> models;
  for (int n = 0; n < kModels; ++n)
    models.push_back(std::string("model-").append(1, static_cast<char>('a' + n)));
  std::vector<JobId> submitted;
  for (int n = 0; n < 4 * kModels; ++n) {
    SubmitRequest request = TestRequest(n);
    request.model = models[static_cast<size_t>(1 + n * 5 % (kModels - 1))];
    MustSubmit(request);
    submitted.push_back(request.id);
    queue_->Advance(Millis(1'000));
  }
  queue_->Advance(Millis(60'000));
  SubmitRequest young = TestRequest(1'000);
  young.model = models[0];  // the warm one
  MustSubmit(young);
  std::vector<JobId> taken;
  for (size_t n = 0; n < submitted.size(); ++n) {
    const std::optional<Grant> grant = TakeOf(models);
    ASSERT_TRUE(grant.has_value());
    taken.push_back(grant->fence.id);
    if (n % 10 != 3) continue;
    // Given back, it stands at the head again, before those that are younger.
    ASSERT_EQ(consumer().Release(grant->fence, "", 0).value(), OwnerAnswer::kOk);
    EXPECT_EQ(TakeOf(models)->fence.id, grant->fence.id);
  }
  EXPECT_EQ(taken, submitted);
}

TEST_P(QueueContract, ManyCanceledJobsDoNotHideTheOneBehindThem) {
  SubmitMany(1200, Priority::kNormal);
  for (int n = 2; n < 1200; ++n) {
    ASSERT_EQ(producer().Cancel(TestJobId(n), {}).value(), State::kCanceled);
  }
  EXPECT_EQ(MustTake().fence.id, TestJobId(1));
  EXPECT_EQ(MustTake().fence.id, TestJobId(1200));
  EXPECT_FALSE(Take().has_value());
}

}  // namespace phasor::queue
