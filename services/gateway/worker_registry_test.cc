#include "services/gateway/worker_registry.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

v1::Hello Hello(const std::string& name) {
  v1::Hello hello;
  hello.set_name(name);
  hello.add_models("demo");
  return hello;
}

queue::Event Canceled(const job::JobId& id, const std::string& worker = "") {
  queue::Event event;
  event.id = id;
  event.version = 4;
  event.state = queue::State::kCanceled;
  event.worker = worker;
  return event;
}

class WorkerRegistryTest : public testing::Test {
 protected:
  WorkerRegistry::Ticket Connect(const std::string& name) {
    return registry_.Connect(Hello(name), [this, name](const v1::GatewayMessage& message) {
      sent_.push_back(name + " cancel " + message.cancel().job_id());
    });
  }
  std::vector<std::string> sent_;
  WorkerRegistry registry_;
};

TEST_F(WorkerRegistryTest, ShowsWhatEachWorkerSaidLast) {
  Connect("b");
  const auto a = Connect("a");
  v1::WorkerStats stats;
  stats.set_name("forged");
  stats.set_state("busy");
  stats.set_jobs_done(3);
  registry_.OnStats(a, stats);
  const auto all = registry_.Snapshot();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name(), "a");
  EXPECT_EQ(all[0].jobs_done(), 3);
  EXPECT_EQ(all[1].state(), "idle");
  EXPECT_EQ(registry_.ReadyFor("demo"), 2);
  EXPECT_EQ(registry_.ReadyFor("other"), 0);
}

TEST_F(WorkerRegistryTest, AReconnectTakesTheOldStreamsPlace) {
  const auto first = Connect("a");
  Connect("a");
  registry_.Disconnect(first);
  EXPECT_EQ(registry_.Snapshot().size(), 1u);
}

TEST_F(WorkerRegistryTest, ACancelReachesTheWorkerThatHoldsTheJob) {
  const auto a = Connect("a");
  Connect("b");
  v1::JobProgress progress;
  progress.set_job_id("j1");
  registry_.OnProgress(a, progress);
  registry_.OnEvent(Canceled("j1"));
  registry_.OnEvent(Canceled("j2"));
  registry_.OnEvent(Canceled("j3", "b"));
  EXPECT_EQ(sent_, (std::vector<std::string>{"a cancel j1", "b cancel j3"}));
}

TEST_F(WorkerRegistryTest, OtherEventsAreNotForWorkers) {
  const auto a = Connect("a");
  v1::JobProgress progress;
  progress.set_job_id("j1");
  registry_.OnProgress(a, progress);
  queue::Event event = Canceled("j1");
  event.state = queue::State::kDone;
  registry_.OnEvent(event);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(WorkerRegistryTest, SendsToTheWorkerOfThatName) {
  Connect("a");
  const auto b = Connect("b");
  v1::GatewayMessage message;
  message.mutable_cancel()->set_job_id("x");
  EXPECT_TRUE(registry_.SendTo("b", message));
  EXPECT_EQ(sent_, std::vector<std::string>{"b cancel x"});
  registry_.Disconnect(b);
  EXPECT_FALSE(registry_.SendTo("b", message));
}

TEST_F(WorkerRegistryTest, AnUnknownNameIsToldWhichOnesThereAre) {
  EXPECT_EQ(registry_.Find("a").status().code(), StatusCode::kNotFound);
  Connect("a");
  EXPECT_EQ(registry_.Find("a")->name(), "a");
  const std::string message = Message(registry_.Find("c").status());
  EXPECT_NE(message.find("'c'"), std::string::npos);
  EXPECT_NE(message.find("known are: a"), std::string::npos);
  for (int i = 0; i < 1000; ++i) Connect("worker-" + std::to_string(i));
  EXPECT_LT(Message(registry_.Find(std::string(5000, 'n')).status()).size(), 2000u);
}

}  // namespace
}  // namespace phasor::gateway
