#include "services/gateway/upkeep/queue_sampler.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class QueueSamplerTest : public testing::Test {
 protected:
  void Submit(const std::string& key, const std::string& tenant = "") {
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "", key);
    request.model = "demo";
    request.tenant = tenant;
    request.cost = 7;
    ASSERT_TRUE(fleet_.queue.Submit(request).ok());
  }
  std::string Shown() {
    sampler_.Tick();
    return metrics_.Text();
  }

  MemoryFleet fleet_;
  FaultyQueue faulty_{&fleet_.queue};
  metrics::Registry metrics_;
  WorkerRegistry workers_;
  std::vector<bool> told_;
  QueueSampler sampler_{{.maintenance = &faulty_,
                         .control = &faulty_,
                         .workers = &workers_,
                         .metrics = &metrics_,
                         .models = {"demo", "unused"},
                         .limits =
                             [](queue::QueueLimits limits) {
                               limits.max_jobs = 3;
                               return limits;
                             },
                         .on_ready = [this](bool ready) { told_.push_back(ready); }}};
};

TEST_F(QueueSamplerTest, SetsTheLimitsAndTellsWhenTheQueueIsReady) {
  EXPECT_EQ(sampler_.ready().code(), StatusCode::kUnavailable);
  for (const std::string key : {"a", "b", "c"}) Submit(key);
  sampler_.Tick();
  sampler_.Tick();
  EXPECT_TRUE(sampler_.ready().ok());
  EXPECT_THAT(told_, ElementsAre(true));
  EXPECT_EQ(sampler_.latest().live, 3);
  queue::SubmitRequest another;
  another.id = job::MakeJobId("secret", "", "d");
  another.model = "demo";
  EXPECT_EQ(fleet_.queue.Submit(another)->outcome, queue::SubmitOutcome::kFull);
}

TEST_F(QueueSamplerTest, LimitsThatSomebodyChangedLaterStayChanged) {
  sampler_.Tick();
  ASSERT_TRUE(fleet_.queue.SetLimits({.max_jobs = 5}).ok());
  sampler_.Tick();
  EXPECT_EQ(fleet_.queue.Limits()->max_jobs, 5);
}

TEST_F(QueueSamplerTest, EveryModelAndClassOfTheCatalogueIsThereFromTheFirstAnswer) {
  EXPECT_THAT(metrics_.Text(), Not(HasSubstr("phasor_queue_depth{"))) << "nothing is known yet";
  const std::string before = Shown();
  for (const std::string model : {"demo", "unused"}) {
    const std::string label = "model=\"" + model + "\"";
    for (const std::string priority : {"URGENT", "HIGH", "NORMAL", "LOW"}) {
      const std::string both = "{" + label + ",priority=\"" + priority + "\"} 0\n";
      EXPECT_THAT(before, HasSubstr("phasor_queue_depth" + both));
      EXPECT_THAT(before, HasSubstr("phasor_queue_blocked" + both));
    }
    for (const std::string name :
         {"queue_delayed", "queue_running", "queue_demand_jobs", "queue_backlog_cost",
          "queue_oldest_age_seconds", "workers_ready"}) {
      EXPECT_THAT(before, HasSubstr("phasor_" + name + "{" + label + "} 0\n"));
    }
  }
  Submit("a");
  EXPECT_THAT(Shown(), HasSubstr("phasor_queue_depth{model=\"demo\",priority=\"NORMAL\"} 1\n"));
  ASSERT_TRUE(fleet_.queue.Cancel(job::MakeJobId("secret", "", "a"), {}).ok());
  const std::string after = Shown();
  EXPECT_THAT(after, HasSubstr("phasor_queue_depth{model=\"demo\",priority=\"NORMAL\"} 0\n"))
      << "a series that has been there does not go";
  EXPECT_THAT(after, HasSubstr("phasor_queue_ended_jobs 1\n"));
}

TEST_F(QueueSamplerTest, WhileTheQueueDoesNotAnswerNothingIsShownOfIt) {
  Submit("a");
  Shown();
  faulty_.fault.Set(Unavailable("away"));
  const std::string away = Shown();
  for (const std::string name : {"depth", "blocked", "delayed", "running", "demand_jobs",
                                 "backlog_cost", "oldest_age_seconds", "live_jobs", "ended_jobs",
                                 "paused", "dead_letters", "sealing_jobs", "memory_used_bytes"}) {
    EXPECT_THAT(away, Not(testing::ContainsRegex("\nphasor_queue_" + name + "[{ ]"))) << name;
  }
  EXPECT_THAT(away, HasSubstr("phasor_queue_up 0\n"));
  EXPECT_THAT(away, HasSubstr("phasor_workers_ready{model=\"demo\"} 0\n"))
      << "who reports here is known all the same";
  faulty_.fault.Clear();
  const std::string back = Shown();
  EXPECT_THAT(back, HasSubstr("phasor_queue_up 1\n"));
  EXPECT_THAT(back, HasSubstr("phasor_queue_depth{model=\"demo\",priority=\"NORMAL\"} 1\n"));
  EXPECT_THAT(told_, ElementsAre(true, false, true));
}

TEST_F(QueueSamplerTest, JobsThatNobodyMayRunAreToldApartFromReadyOnes) {
  Shown();  // sets the limits
  ASSERT_TRUE(fleet_.queue.SetTenantLimits("capped", {.max_running = 1}).ok());
  Submit("a", "capped");
  Submit("b", "capped");
  fleet_.Take();
  fleet_.Take();  // finds that the tenant has as many as it may
  Submit("c", "free");
  const std::string shown = Shown();
  EXPECT_THAT(shown, HasSubstr("phasor_queue_depth{model=\"demo\",priority=\"NORMAL\"} 1\n"));
  EXPECT_THAT(shown, HasSubstr("phasor_queue_blocked{model=\"demo\",priority=\"NORMAL\"} 1\n"));
  EXPECT_THAT(shown, HasSubstr("phasor_queue_running{model=\"demo\"} 1\n"));
  EXPECT_THAT(shown, HasSubstr("phasor_queue_demand_jobs{model=\"demo\"} 2\n"));
  EXPECT_THAT(shown, HasSubstr("phasor_queue_backlog_cost{model=\"demo\"} 14\n"));
}

TEST_F(QueueSamplerTest, DemandIsWhatWorkersHaveOrCouldHaveNow) {
  for (const std::string key : {"a", "b", "c"}) Submit(key);
  const auto demand = [](const std::string& number) {
    return HasSubstr("phasor_queue_demand_jobs{model=\"demo\"} " + number + "\n");
  };
  EXPECT_THAT(Shown(), demand("3"));
  const queue::Grant grant = fleet_.Take();
  EXPECT_THAT(Shown(), demand("3")) << "who scales on what is ready alone ends busy workers";
  ASSERT_TRUE(fleet_.queue
                  .Fail({.fence = grant.fence,
                         .retryable = true,
                         .delay = Millis(60'000),
                         .reason = "once more",
                         .code = "INTERNAL"})
                  .ok());
  EXPECT_THAT(Shown(), demand("2")) << "nobody can have it before its time";
  fleet_.clock.Advance(Millis(60'001));
  ASSERT_EQ(*fleet_.queue.Recover(10), 1);
  EXPECT_THAT(Shown(), demand("3")) << "a job that is due wakes workers though none is there";
  fleet_.Take();
  ASSERT_TRUE(fleet_.queue.SetPaused(true).ok());
  EXPECT_THAT(Shown(), demand("1")) << "a paused queue hands nothing out";
  ASSERT_TRUE(fleet_.queue.SetPaused(false).ok());
  EXPECT_THAT(Shown(), demand("3"));
}

TEST_F(QueueSamplerTest, CountsTheWorkersThatTakeJobsOfAModel) {
  for (const std::string name : {"a", "b", "c"}) {
    v1::Hello hello;
    hello.set_name(name);
    hello.add_models("demo");
    const auto ticket = workers_.Connect(hello, [](const v1::GatewayMessage&) {});
    v1::WorkerStats stats;
    stats.set_state(name == "a" ? "busy" : name == "b" ? "idle" : "cordoned");
    workers_.OnStats(ticket, stats);
  }
  const std::string shown = Shown();
  EXPECT_THAT(shown, HasSubstr("phasor_workers_ready{model=\"demo\"} 2\n"));
  EXPECT_THAT(shown, HasSubstr("phasor_workers_ready{model=\"unused\"} 0\n"));
}

TEST_F(QueueSamplerTest, ManyModelsOfTheCatalogueAreAllNamed) {
  metrics::Registry registry;
  std::vector<std::string> models;
  for (int n = 0; n < 700; ++n) models.push_back(std::to_string(n).insert(0, 1, 'm'));
  QueueGauges(&registry, models).Show({});
  const std::string shown = registry.Text();
  EXPECT_THAT(shown, HasSubstr("phasor_queue_depth{model=\"m699\",priority=\"LOW\"} 0\n"));
  EXPECT_THAT(shown, Not(HasSubstr("other")));
}

}  // namespace
}  // namespace phasor::gateway
