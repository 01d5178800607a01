// The contract's part about limits: what is set is what stands, caps of single tenants, shares.

#include <algorithm>

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

SubmitRequest Of(const std::string& tenant, Priority priority = Priority::kNormal) {
  SubmitRequest request = TestRequest(0);
  request.tenant = tenant;
  request.priority = priority;
  return request;
}

}  // namespace

TEST_P(QueueContract, LimitsAreReadAsTheyWereSet) {
  EXPECT_EQ(control().Limits().value(), QueueLimits{}) << "nobody has set any: the defaults";
  QueueLimits limits;
  limits.max_jobs = 1;
  limits.max_per_tenant = 2;
  limits.max_running_per_tenant = 3;
  limits.max_tries = 4;
  limits.max_crashes = 5;
  limits.stall = Millis(6);
  limits.preempt_after = Millis(7);
  limits.preempt_floor = Millis(8);
  limits.max_preemptions = 9;
  limits.max_dead = 10;
  limits.max_ended = 11;
  limits.ended_memory_percent = 12;
  limits.pixel_steps_per_tenant = 13;
  limits.prompt_bytes_per_tenant = 14;
  limits.result_bytes_per_tenant = 15;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  EXPECT_EQ(control().Limits().value(), limits);
}

TEST_P(QueueContract, LimitsThatMakeNoSenseAreRefused) {
  QueueLimits limits;
  limits.max_jobs = -1;
  EXPECT_EQ(control().SetLimits(limits).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(control().SetTenantLimits("a", {.weight = 0}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(control().SetTenantLimits(std::string(300, 'a'), {}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(control().Limits().value(), QueueLimits{});
}

TEST_P(QueueContract, ATenantsOwnCapOfOpenJobsStandsBeforeTheDefault) {
  QueueLimits limits;
  limits.max_per_tenant = 2;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  ASSERT_TRUE(control().SetTenantLimits("a", {.max_open = 3}).ok());
  ASSERT_TRUE(control().SetTenantLimits("none", {.max_open = 0}).ok());
  SubmitMany(3, Of("a"));
  SubmitMany(2, Of("b"));
  for (const std::string tenant : {"a", "b", "none"}) {
    SubmitRequest request = Of(tenant);
    request.id = TestJobId(100);
    EXPECT_EQ(producer().Submit(request)->full, "tenant") << tenant;
  }
  ASSERT_TRUE(control().SetTenantLimits("b", {.max_open = 3}).ok());
  SubmitMany(1, Of("b"));
  ASSERT_TRUE(control().SetTenantLimits("none", {}).ok()) << "back to the default";
  SubmitMany(2, Of("none"));
}

TEST_P(QueueContract, AQuotaIsCountedByTheMinuteAndNamed) {
  const auto submit = [&](const std::string& tenant, int n, const Spend& spend) {
    SubmitRequest request = Of(tenant);
    request.id = TestJobId(1000 + n);
    request.spend = spend;
    return producer().Submit(request).value();
  };
  const struct {
    std::string name;
    TenantLimits limits;
    Spend spend;
  } quotas[] = {{"pixel_steps", {.pixel_steps = 10}, {.pixel_steps = 6}},
                {"prompt_bytes", {.prompt_bytes = 10}, {.prompt_bytes = 6}},
                {"result_bytes", {.result_bytes = 10}, {.result_bytes = 6}}};
  int n = 0;
  for (const auto& quota : quotas) {
    const std::string& tenant = quota.name;
    ASSERT_TRUE(control().SetTenantLimits(tenant, quota.limits).ok());
    queue_->Advance(kQuotaWindow);
    const int first = ++n;
    EXPECT_EQ(submit(tenant, first, quota.spend).outcome, SubmitOutcome::kAccepted);
    EXPECT_EQ(submit(tenant, first, quota.spend).outcome, SubmitOutcome::kDuplicate)
        << "a repeat takes nothing";
    EXPECT_EQ(submit(tenant, ++n, quota.spend).outcome, SubmitOutcome::kAccepted);
    const SubmitReply refused = submit(tenant, ++n, quota.spend);
    EXPECT_EQ(refused.outcome, SubmitOutcome::kFull);
    EXPECT_EQ(refused.full, quota.name);
    EXPECT_GT(refused.retry_after, Millis(0));
    EXPECT_LE(refused.retry_after, kQuotaWindow);
    EXPECT_EQ(submit("another", ++n, quota.spend).outcome, SubmitOutcome::kAccepted);
    queue_->Advance(refused.retry_after);
    EXPECT_EQ(submit(tenant, ++n, quota.spend).outcome, SubmitOutcome::kAccepted)
        << "when it was told to come back";
    ASSERT_TRUE(control().SetTenantLimits(tenant, {}).ok());
    EXPECT_EQ(submit(tenant, ++n, {.pixel_steps = 100}).outcome, SubmitOutcome::kAccepted);
  }
  ASSERT_TRUE(control().SetTenantLimits("none", {.pixel_steps = 0}).ok());
  EXPECT_EQ(submit("none", ++n, {.pixel_steps = 1}).full, "pixel_steps");
}

TEST_P(QueueContract, ADefaultQuotaHoldsForEachTenantThatHasNoneOfItsOwn) {
  QueueLimits limits;
  limits.pixel_steps_per_tenant = 10;
  limits.prompt_bytes_per_tenant = 10;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  ASSERT_TRUE(control().SetTenantLimits("more", {.pixel_steps = 20}).ok());
  ASSERT_TRUE(control().SetTenantLimits("any", {.pixel_steps = kNoQuota}).ok());
  ASSERT_TRUE(control().SetTenantLimits("else", {.result_bytes = 5}).ok());
  // What the fifth job is refused for, of jobs that take 6 each.
  const struct {
    std::string tenant;
    Spend spend;
    int accepted;
    std::string full;
  } cases[] = {{"a", {.pixel_steps = 6}, 2, "pixel_steps"},
               {"b", {.pixel_steps = 6}, 2, "pixel_steps"},
               {"b", {.prompt_bytes = 6}, 0, "pixel_steps"},
               {"c", {.prompt_bytes = 6}, 2, "prompt_bytes"},
               {"d", {.result_bytes = 6}, 5, ""},
               {"more", {.pixel_steps = 6}, 4, "pixel_steps"},
               {"any", {.pixel_steps = 6}, 5, ""},
               {"any", {.prompt_bytes = 6}, 2, "prompt_bytes"},
               {"else", {.pixel_steps = 6}, 2, "pixel_steps"},
               {"", {.pixel_steps = 6}, 5, ""}};
  int n = 0;
  for (const auto& one : cases) {
    int accepted = 0;
    std::string full;
    for (int i = 0; i < 5; ++i) {
      SubmitRequest request = Of(one.tenant);
      request.id = TestJobId(1000 + ++n);
      request.spend = one.spend;
      const SubmitReply reply = producer().Submit(request).value();
      accepted += reply.outcome == SubmitOutcome::kAccepted ? 1 : 0;
      full = reply.full;
    }
    EXPECT_EQ(accepted, one.accepted) << one.tenant << " " << one.full;
    EXPECT_EQ(full, one.full) << one.tenant;
  }
  queue_->Advance(kQuotaWindow);
  SubmitMany(1, Of("a"));
  ASSERT_TRUE(control().SetLimits(QueueLimits{}).ok());
  SubmitMany(9, Of("a"));
}

TEST_P(QueueContract, ATenantAtItsCapOfRunningJobsIsPassedOver) {
  ASSERT_TRUE(control().SetTenantLimits("a", {.max_running = 2}).ok());
  SubmitMany(5, Of("a", Priority::kUrgent));
  SubmitMany(2, Of("b"));
  std::vector<Grant> grants;
  for (int i = 0; i < 4; ++i) grants.push_back(MustTake());
  const auto of_a = [](const Grant& grant) { return grant.tenant == "a"; };
  EXPECT_EQ(std::count_if(grants.begin(), grants.end(), of_a), 2);
  EXPECT_FALSE(Take().has_value()) << "three jobs wait, but not for a worker";
  EXPECT_EQ(maintenance().Stats()->models["model-a"].blocked[Priority::kUrgent], 3);

  const Grant first = *std::find_if(grants.begin(), grants.end(), of_a);
  ASSERT_EQ(consumer().Complete(first.fence, "r").value(), OwnerAnswer::kOk);
  EXPECT_EQ(MustTake().tenant, "a") << "one that ends makes room for one";
  EXPECT_FALSE(Take().has_value());
}

TEST_P(QueueContract, EveryWayToGiveUpAJobMakesRoomForTheNext) {
  ASSERT_TRUE(control().SetTenantLimits("a", {.max_running = 1}).ok());
  SubmitMany(5, Of("a"));
  const auto only_one_runs = [&] {
    const Grant grant = MustTake();
    EXPECT_FALSE(Take().has_value());
    return grant;
  };
  EXPECT_EQ(consumer().Release(only_one_runs().fence, "", 0).value(), OwnerAnswer::kOk);
  Failure failure;
  failure.fence = only_one_runs().fence;
  failure.retryable = true;
  failure.delay = Millis(3'600'000);
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kRequeued);
  EXPECT_EQ(producer().Cancel(only_one_runs().fence.id, {}).value(), State::kCanceled);
  failure.fence = only_one_runs().fence;
  failure.retryable = false;
  EXPECT_EQ(consumer().Fail(failure).value(), FailOutcome::kSealed);
  only_one_runs();
  queue_->Advance(Millis(16'000));
  EXPECT_EQ(maintenance().Recover(10).value(), 1);
  ASSERT_TRUE(maintenance().Adopt(only_one_runs().fence.id, State::kDone, "r").ok());
  EXPECT_TRUE(Take().has_value());
}

// Names decide in which order scripts walk their tables.
TEST_P(QueueContract, WhoseLastJobEndsHasNoneRunningWhateverTheModelIsCalled) {
  for (int i = 0; i < 40; ++i) {
    SubmitRequest request = TestRequest(i);
    request.model = "m" + std::to_string(i);
    MustSubmit(request);
    const std::optional<Grant> grant = TakeOf({request.model});
    ASSERT_TRUE(grant.has_value());
    ASSERT_EQ(consumer().Complete(grant->fence, "r").value(), OwnerAnswer::kOk);
    EXPECT_TRUE(queue_->Violations().empty()) << request.model;
  }
}

TEST_P(QueueContract, ManyTenantsAtTheirCapsHideNobody) {
  QueueLimits limits;
  limits.max_running_per_tenant = 1;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  for (int i = 0; i < 40; ++i) SubmitMany(2, Of("tenant-" + std::to_string(i)));
  std::vector<Grant> grants;
  for (int i = 0; i < 40; ++i) grants.push_back(MustTake());
  EXPECT_FALSE(Take().has_value());
  SubmitMany(1, Of("late"));
  EXPECT_EQ(MustTake().tenant, "late");
  for (const Grant& grant : grants) {
    ASSERT_EQ(consumer().Complete(grant.fence, "r").value(), OwnerAnswer::kOk);
  }
  EXPECT_EQ(Drain().size(), 40u);
}

TEST_P(QueueContract, HigherCapsLetWaitingTenantsGoOn) {
  QueueLimits limits;
  limits.max_running_per_tenant = 0;
  ASSERT_TRUE(control().SetLimits(limits).ok());
  SubmitMany(1, Of("a"));
  SubmitMany(1, Of("b"));
  EXPECT_FALSE(Take().has_value());
  ASSERT_TRUE(control().SetTenantLimits("b", {.max_running = 1}).ok());
  EXPECT_EQ(MustTake().tenant, "b");
  EXPECT_FALSE(Take().has_value());
  ASSERT_TRUE(control().SetLimits(QueueLimits{}).ok());
  EXPECT_EQ(MustTake().tenant, "a");
}

TEST_P(QueueContract, ATenantThatIsPassedOverCanCancelAndSubmitAnew) {
  ASSERT_TRUE(control().SetTenantLimits("a", {.max_running = 0}).ok());
  SubmitMany(1, Of("a"));
  EXPECT_FALSE(Take().has_value());
  EXPECT_EQ(producer().Cancel(TestJobId(1), {}).value(), State::kCanceled);
  SubmitMany(1, Of("a"));
  EXPECT_FALSE(Take().has_value());
  ASSERT_TRUE(control().SetTenantLimits("a", {}).ok());
  EXPECT_EQ(MustTake().fence.id, TestJobId(2));
}

TEST_P(QueueContract, AWeightGivesATenantMoreTurns) {
  ASSERT_TRUE(control().SetTenantLimits("a", {.weight = 3}).ok());
  SubmitMany(9, Of("a"));
  SubmitMany(9, Of("b"));
  const std::string turns = Tenants(12);
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'a'), 9) << turns;
}

TEST_P(QueueContract, ALightTenantIsInterleavedWithAFlood) {
  SubmitMany(300, Of("a"));
  SubmitMany(10, Of("b"));
  const std::string turns = Tenants(20);
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'b'), 10) << turns;
}

TEST_P(QueueContract, LowGetsItsShareBesideAFloodOfUrgentJobs) {
  SubmitMany(260, Of("a", Priority::kUrgent));
  SubmitMany(10, Of("b", Priority::kLow));
  EXPECT_GE(Shares(255)[Priority::kLow], 3) << "at least one take in 85";
}

}  // namespace phasor::queue
