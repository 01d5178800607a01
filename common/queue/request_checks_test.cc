#include "common/queue/request_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

TEST(RequestChecksTest, NamesTheFieldOfAMalformedSubmit) {
  const std::vector<std::pair<std::string, std::function<void(SubmitRequest&)>>> cases = {
      {"id", [](SubmitRequest& r) { r.id = "../../etc"; }},
      {"model", [](SubmitRequest& r) { r.model.assign(257, 'm'); }},
      {"tenant", [](SubmitRequest& r) { r.tenant.assign(257, 't'); }},
      {"spec", [](SubmitRequest& r) { r.spec.assign((1 << 20) + 1, 's'); }},
      {"cost", [](SubmitRequest& r) { r.cost = -1; }},
      {"keep", [](SubmitRequest& r) { r.keep = Millis(0); }},
      {"deadline_ms", [](SubmitRequest& r) { r.deadline_ms = -5; }},
  };
  EXPECT_TRUE(CheckSubmit(TestRequest(1)).ok());
  for (const auto& [field, spoil] : cases) {
    SubmitRequest request = TestRequest(1);
    spoil(request);
    const Status status = CheckSubmit(request);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(Message(status).find(field), 0u) << status;
  }
}

TEST(RequestChecksTest, ANonceHasAFixedAlphabet) {
  Fence fence{TestJobId(1), 1, "abc-DEF_9"};
  EXPECT_TRUE(CheckFence(fence).ok());
  for (const std::string nonce : {"", "a b", "a/b", "a\n", "é"}) {
    fence.nonce = nonce;
    EXPECT_FALSE(CheckFence(fence).ok()) << nonce;
  }
  fence.nonce.assign(65, 'a');
  EXPECT_FALSE(CheckFence(fence).ok());
}

TEST(RequestChecksTest, LimitsMustLeaveRoomForOneTry) {
  QueueLimits limits;
  EXPECT_TRUE(CheckLimits(limits).ok());
  limits.max_tries = 0;
  EXPECT_FALSE(CheckLimits(limits).ok());
}

TEST(RequestChecksTest, NamesTheLimitThatIsOutOfRange) {
  const std::vector<std::pair<std::string, std::function<void(QueueLimits&)>>> cases = {
      {"max_jobs", [](QueueLimits& l) { l.max_jobs = -1; }},
      {"max_per_tenant", [](QueueLimits& l) { l.max_per_tenant = 1'000'000'001; }},
      {"max_running_per_tenant", [](QueueLimits& l) { l.max_running_per_tenant = -1; }},
      {"max_tries", [](QueueLimits& l) { l.max_tries = 0; }},
      {"stall", [](QueueLimits& l) { l.stall = Millis(0); }},
      {"preempt_after", [](QueueLimits& l) { l.preempt_after = Millis(-1); }},
      {"preempt_floor", [](QueueLimits& l) { l.preempt_floor = Millis(-1); }},
      {"max_preemptions", [](QueueLimits& l) { l.max_preemptions = -1; }},
      {"max_dead", [](QueueLimits& l) { l.max_dead = -1; }},
      {"max_ended", [](QueueLimits& l) { l.max_ended = -1; }},
      {"ended_memory_percent", [](QueueLimits& l) { l.ended_memory_percent = 0; }},
      {"ended_memory_percent", [](QueueLimits& l) { l.ended_memory_percent = 101; }},
      {"pixel_steps_per_tenant", [](QueueLimits& l) { l.pixel_steps_per_tenant = -1; }},
      {"prompt_bytes_per_tenant", [](QueueLimits& l) { l.prompt_bytes_per_tenant = -1; }},
      {"result_bytes_per_tenant", [](QueueLimits& l) { l.result_bytes_per_tenant = kNoQuota + 1; }},
  };
  for (const auto& [field, spoil] : cases) {
    QueueLimits limits;
    spoil(limits);
    const Status status = CheckLimits(limits);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    EXPECT_EQ(Message(status).find(field), 0u) << status;
  }
}

TEST(RequestChecksTest, ATenantsLimitsAreChecked) {
  EXPECT_TRUE(CheckTenantLimits("", {}).ok());
  EXPECT_TRUE(CheckTenantLimits("a", {.max_open = 0, .max_running = 0, .weight = 1000}).ok());
  EXPECT_FALSE(CheckTenantLimits("a", {.max_open = -1}).ok());
  EXPECT_FALSE(CheckTenantLimits("a", {.max_running = -1}).ok());
  EXPECT_FALSE(CheckTenantLimits("a", {.weight = 0}).ok());
  EXPECT_FALSE(CheckTenantLimits("a", {.weight = 1001}).ok());
}

TEST(RequestChecksTest, GenerationsAreCounted) {
  const JobId id = TestJobId(1);
  EXPECT_EQ(NextGeneration(id).value(), id + "#2");
  EXPECT_EQ(NextGeneration(id + "#2").value(), id + "#3");
  EXPECT_EQ(NextGeneration(id + "#99998").value(), id + "#99999");
  EXPECT_EQ(NextGeneration(id + "#99999").status().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace phasor::queue
