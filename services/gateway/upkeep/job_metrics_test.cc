#include "services/gateway/upkeep/job_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(JobMetricsTest, CountsSubmitsByWhatBecameOfThem) {
  metrics::Registry registry;
  JobMetrics metrics(&registry);
  metrics.Accepted("demo");
  metrics.Accepted("demo");
  metrics.Duplicate();
  metrics.Refused("invalid");
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("phasor_submits_accepted_total{model=\"demo\"} 2"));
  EXPECT_THAT(text, HasSubstr("phasor_submits_repeated_total 1"));
  EXPECT_THAT(text, HasSubstr("phasor_submits_refused_total{reason=\"invalid\"} 1"));
}

TEST(JobMetricsTest, CountsEndsAndNothingElse) {
  metrics::Registry registry;
  JobMetrics metrics(&registry);
  queue::Event event;
  event.version = 3;
  event.state = queue::State::kLeased;
  metrics.OnEvent(event);
  event.state = queue::State::kDone;
  metrics.OnEvent(event);
  event.version = 0;  // progress
  metrics.OnEvent(event);
  EXPECT_THAT(registry.Text(), HasSubstr("phasor_job_ends_seen_total{state=\"DONE\"} 1"));
  EXPECT_THAT(registry.Text(), Not(HasSubstr("LEASED")));
}

TEST(JobMetricsTest, ARateCanBeTakenBeforeTheFirstJob) {
  metrics::Registry registry;
  JobMetrics metrics(&registry, {"demo", "other-model"});
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("phasor_submits_accepted_total{model=\"demo\"} 0"));
  EXPECT_THAT(text, HasSubstr("phasor_submits_accepted_total{model=\"other-model\"} 0"));
  for (const std::string state : {"DONE", "DEAD", "CANCELED", "EXPIRED"}) {
    EXPECT_THAT(text, HasSubstr("phasor_job_ends_seen_total{state=\"" + state + "\"} 0"));
  }
}

}  // namespace
}  // namespace phasor::gateway
