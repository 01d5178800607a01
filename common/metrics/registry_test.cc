#include "common/metrics/registry.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(RegistryTest, ShowsMetricsUnderThePrefix) {
  Registry registry;
  registry.Counters("jobs_total", "Jobs by end.", {"model", "state"})
      .With({"demo", "DONE"})
      .Increment(2);
  registry.Gauges("inflight_jobs", "Jobs now.")->Set(3);
  registry.Histograms("job_seconds", "Length.", {1, 10})->Observe(4);
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("phasor_jobs_total{model=\"demo\",state=\"DONE\"} 2"));
  EXPECT_THAT(text, HasSubstr("phasor_inflight_jobs 3"));
  EXPECT_THAT(text, HasSubstr("phasor_job_seconds_bucket{le=\"10\"} 1"));
}

TEST(RegistryTest, ManyLabelValuesEndInOther) {
  Registry registry;
  auto family = registry.Counters("calls_total", "Calls.", {"who"});
  for (size_t i = 0; i < kMaxSeries + 50; ++i) family.With({"u" + std::to_string(i)}).Increment();
  const std::string text = registry.Text();
  EXPECT_THAT(text, HasSubstr("phasor_calls_total{who=\"other\"} 50"));
  EXPECT_THAT(text, Not(HasSubstr("who=\"u" + std::to_string(kMaxSeries + 1))));
}

TEST(RegistryTest, TheSameFamilyTwiceIsOneSeries) {
  Registry registry;
  registry.Counters("a_total", "A.", {"k"}).With({"x"}).Increment();
  registry.Counters("a_total", "A.", {"k"}).With({"x"}).Increment();
  EXPECT_THAT(registry.Text(), HasSubstr("phasor_a_total{k=\"x\"} 2"));
}

TEST(RegistryTest, NamesEachFamilyOnceWithOrWithoutSeries) {
  Registry registry;
  registry.Histograms("job_seconds", "Length.", {1, 10}, {"model"});
  registry.Counters("a_total", "A.", {"k"});
  registry.Counters("a_total", "A.", {"k"}).With({"x"}).Increment();
  const auto families = registry.Families();
  ASSERT_EQ(families.size(), 2u);
  EXPECT_EQ(families[0].name, "phasor_a_total");
  EXPECT_EQ(families[0].type, "counter");
  EXPECT_EQ(families[1].name, "phasor_job_seconds");
  EXPECT_EQ(families[1].type, "histogram");
  EXPECT_EQ(families[1].what, "Length.");
  EXPECT_THAT(families[1].label_names, testing::ElementsAre("model"));
}

TEST(RegistryTest, SweepDropsSeriesThatNobodySetSince) {
  Registry registry;
  auto depth = registry.Gauges("queue_depth", "Ready jobs.", {"model"});
  depth.With({"old"}).Set(1);
  depth.With({"kept"}).Set(1);
  depth.Sweep();
  depth.With({"kept"}).Set(2);
  depth.Sweep();
  EXPECT_THAT(registry.Text(), Not(HasSubstr("old")));
  EXPECT_THAT(registry.Text(), HasSubstr("phasor_queue_depth{model=\"kept\"} 2"));
}

}  // namespace
}  // namespace phasor::metrics
