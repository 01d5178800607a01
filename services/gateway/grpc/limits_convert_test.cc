#include "services/gateway/grpc/limits_convert.h"

#include <functional>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

TEST(LimitsConvertTest, WhatIsAbsentStaysAsItIs) {
  queue::QueueLimits now;
  now.max_jobs = 7;
  now.preempt_after = Millis(1'500);
  v1::QueueLimits wanted;
  wanted.set_max_tries(9);
  wanted.set_stall_seconds(2.5);
  const auto changed = Changed(now, wanted);
  ASSERT_TRUE(changed.ok()) << changed.status();
  now.max_tries = 9;
  now.stall = Millis(2'500);
  EXPECT_EQ(*changed, now);
}

TEST(LimitsConvertTest, WhatIsShownCanBeSetAgain) {
  const queue::QueueLimits limits{.max_jobs = 1,
                                  .max_per_tenant = 2,
                                  .max_running_per_tenant = 3,
                                  .max_tries = 4,
                                  .max_crashes = 5,
                                  .stall = Millis(6'000),
                                  .preempt_after = Millis(7),
                                  .preempt_floor = Millis(8),
                                  .max_preemptions = 9,
                                  .max_dead = 10,
                                  .max_ended = 11,
                                  .ended_memory_percent = 12,
                                  .pixel_steps_per_tenant = 13,
                                  .prompt_bytes_per_tenant = 14,
                                  .result_bytes_per_tenant = 15};
  EXPECT_EQ(*Changed({}, ToProto(limits)), limits);
}

TEST(LimitsConvertTest, EveryFieldHasItsRangeAndIsNamed) {
  using Change = std::function<void(v1::QueueLimits*)>;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::pair<std::string, Change> cases[] = {
      {"max_jobs", [](auto* l) { l->set_max_jobs(-1); }},
      {"max_jobs", [](auto* l) { l->set_max_jobs(1'000'000'001); }},
      {"max_per_tenant", [](auto* l) { l->set_max_per_tenant(-1); }},
      {"max_running_per_tenant", [](auto* l) { l->set_max_running_per_tenant(-5); }},
      {"max_tries", [](auto* l) { l->set_max_tries(0); }},
      {"max_tries", [](auto* l) { l->set_max_tries(101); }},
      {"max_crashes", [](auto* l) { l->set_max_crashes(0); }},
      {"stall_seconds", [](auto* l) { l->set_stall_seconds(0.5); }},
      {"stall_seconds", [=](auto* l) { l->set_stall_seconds(nan); }},
      {"preempt_after_seconds", [](auto* l) { l->set_preempt_after_seconds(-1); }},
      {"preempt_floor_seconds", [](auto* l) { l->set_preempt_floor_seconds(1e9); }},
      {"max_preemptions", [](auto* l) { l->set_max_preemptions(1001); }},
      {"max_dead", [](auto* l) { l->set_max_dead(2'000'000); }},
      {"max_ended", [](auto* l) { l->set_max_ended(-1); }},
      {"ended_memory_percent", [](auto* l) { l->set_ended_memory_percent(0); }},
      {"pixel_steps_per_tenant", [](auto* l) { l->set_pixel_steps_per_tenant(-1); }},
      {"prompt_bytes_per_tenant",
       [](auto* l) { l->set_prompt_bytes_per_tenant(queue::kNoQuota + 1); }},
      {"result_bytes_per_tenant", [](auto* l) { l->set_result_bytes_per_tenant(-1); }},
  };
  for (const auto& [field, change] : cases) {
    v1::QueueLimits wanted;
    change(&wanted);
    const Status status = Changed({}, wanted).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << field;
    const auto violations = rpc::FieldViolationsOf(status);
    ASSERT_EQ(violations.size(), 1u) << field;
    EXPECT_EQ(violations[0].field, "queue." + field);
    EXPECT_THAT(violations[0].description, HasSubstr("must be between"));
  }
}

TEST(LimitsConvertTest, ATenantsLimitsAreSetTogether) {
  v1::TenantLimits wanted;
  wanted.set_tenant("t");
  EXPECT_EQ(*FromProto(wanted), queue::TenantLimits());
  wanted.set_max_open(0);
  wanted.set_weight(3);
  wanted.set_pixel_steps(4);
  wanted.set_prompt_bytes(5);
  wanted.set_result_bytes(6);
  EXPECT_EQ(*FromProto(wanted), (queue::TenantLimits{.max_open = 0,
                                                     .max_running = {},
                                                     .weight = 3,
                                                     .pixel_steps = 4,
                                                     .prompt_bytes = 5,
                                                     .result_bytes = 6}));
  wanted.set_max_running(-1);
  wanted.set_weight(0);
  const auto violations = rpc::FieldViolationsOf(FromProto(wanted).status());
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "tenant.max_running");
  EXPECT_EQ(violations[1].field, "tenant.weight");
  wanted.set_tenant(std::string(257, 't'));
  EXPECT_EQ(rpc::FieldViolationsOf(FromProto(wanted).status())[0].field, "tenant.tenant");
}

}  // namespace
}  // namespace phasor::gateway
