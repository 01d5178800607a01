// A client with two gateways to talk to, one of which dies: killed, frozen or shut down. The
// gateways are real, in this process or as programs; queue and store are shared.
#include <signal.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/hash.h"
#include "common/config/model_card.h"
#include "common/queue/memory/memory_queue.h"
#include "common/storage/memory_store.h"
#include "common/testing/redis_server.h"
#include "services/cli/link/client.h"
#include "services/gateway/gateway.h"
#include "tests/integration/gateway_process.h"

namespace phasor {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

cli::Interrupt& NoInterrupt() {
  // Its thread waits for signals for as long as the process lives.
  static cli::Interrupt& interrupt = *std::make_unique<cli::Interrupt>().release();
  return interrupt;
}

v1::GenerateRequest Keyed(const std::string& key) {
  v1::GenerateRequest request;
  request.set_prompt("a red circle");
  request.set_idempotency_key(key);
  return request;
}

class TwoGatewaysTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 2; ++i) gateways_.push_back(Start(&queue_));
    client_ = Connect();
  }

  std::unique_ptr<gateway::Gateway> Start(queue::MemoryQueue* queue) {
    gateway::GatewayConfig config;
    config.listen = "127.0.0.1:0";
    config.work_threads = 2;
    config.shutdown_grace = Millis(0);
    config::ModelCard card;
    card.name = "demo";
    card.family = "sd1";
    card.defaults.width = 64;
    card.defaults.height = 64;
    card.defaults.steps = 4;
    card.defaults.guidance_scale = 4;
    card.defaults.scheduler = "ddim";
    auto started = gateway::Gateway::Start(config, "0123456789abcdef", {{card}},
                                           {.producer = queue,
                                            .maintenance = queue,
                                            .control = queue,
                                            .events = queue,
                                            .store = &store_,
                                            .clock = &clock_,
                                            .metrics = &metrics_});
    EXPECT_TRUE(started.ok()) << started.status();
    return *std::move(started);
  }

  std::unique_ptr<cli::Client> Connect() {
    return *cli::Client::Make({{gateways_[0]->address(), gateways_[1]->address()}}, NoInterrupt());
  }

  // Takes the job that is queued and ends it, as a worker does.
  void FinishJob(queue::MemoryQueue* queue) {
    auto grant =
        queue->Take({.worker = "w", .node = "n", .nonce = RandomToken(), .models = {"demo"}});
    ASSERT_TRUE(grant.ok() && *grant);
    storage::TerminalRecord record;
    record.id = (*grant)->fence.id;
    record.epoch = (*grant)->fence.epoch;
    ASSERT_TRUE(store_.CreateTerminal(record).ok());
    ASSERT_TRUE(queue->Complete((*grant)->fence, storage::TerminalKey(record.id)).ok());
  }

  const SystemClock clock_;
  queue::MemoryQueue queue_{clock_};
  storage::MemoryStore store_;
  metrics::Registry metrics_;
  std::vector<std::unique_ptr<gateway::Gateway>> gateways_;
  std::unique_ptr<cli::Client> client_;
};

TEST_F(TwoGatewaysTest, AWatchGoesOnAtTheOtherGatewayAndHearsTheEnd) {
  const auto submitted = client_->Submit(Keyed("k"));
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  bool lost = false;
  int jobs_seen = 0;
  const auto ended = client_->Watch(submitted->job_id(), false, [&](const v1::WatchEvent& event) {
    jobs_seen += event.has_job() ? 1 : 0;
    if (!std::exchange(lost, true)) {
      gateways_[0].reset();
      FinishJob(&queue_);
    }
  });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state(), v1::DONE);
  EXPECT_GE(jobs_seen, 2);
}

TEST_F(TwoGatewaysTest, ASubmitGoesToTheOtherGatewayWithTheSameKey) {
  const auto first = client_->Submit(Keyed("k"));
  ASSERT_TRUE(first.ok()) << first.status();
  gateways_[0].reset();
  const auto again = client_->Submit(Keyed("k"));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job_id(), first->job_id());
  EXPECT_TRUE(again->duplicate());
}

TEST_F(TwoGatewaysTest, AGatewayThatWasNeverThereCostsNothingButAMoment) {
  const auto client =
      *cli::Client::Make({{"unix:/nowhere/gateway.sock", gateways_[1]->address()}}, NoInterrupt());
  const auto begun = steady_clock::now();
  EXPECT_TRUE(client->Submit(Keyed("k")).ok());
  EXPECT_LT(steady_clock::now() - begun, seconds(3));
}

TEST_F(TwoGatewaysTest, AJobThatTheRestoredQueueForgotIsSubmittedAgainAndEnds) {
  const v1::GenerateRequest request = Keyed("k");
  const auto submitted = client_->Submit(request);
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  queue::MemoryQueue restored(clock_);
  gateways_[1] = Start(&restored);
  client_ = Connect();
  bool lost = false;
  const auto ended =
      client_->WatchSubmitted(request, submitted->job_id(), [&](const v1::WatchEvent& event) {
        if (!std::exchange(lost, true)) {
          gateways_[0].reset();
        } else if (event.job().state() == v1::QUEUED) {
          FinishJob(&restored);
        }
      });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state(), v1::DONE);
  EXPECT_EQ(ended->id(), submitted->job_id());
  gateways_.clear();
}

// SIGSTOP stands for what neither closes its connections nor answers: a hung process, a machine
// without power.
class LostGatewayTest : public ::testing::TestWithParam<int> {};

TEST_P(LostGatewayTest, IsLeftForTheOtherWithinFiveSeconds) {
  const RedisServer redis;
  const GatewayProcess lost(redis.url());
  const GatewayProcess other(redis.url(),
                             {"--store", lost.store(), "--secret-file", lost.folder() + "/secret"});
  for (const auto* gateway : {&other, &lost}) {
    const auto waiting =
        *cli::Client::Make({{gateway->address()}}, NoInterrupt(), {.first = Millis(20'000)});
    ASSERT_TRUE(waiting->Submit(Keyed("k")).ok());
  }
  const auto client = *cli::Client::Make({{lost.address(), other.address()}}, NoInterrupt());
  const auto submitted = client->Submit(Keyed("k"));
  ASSERT_TRUE(submitted.ok()) << submitted.status();
  std::vector<steady_clock::time_point> heard;
  const auto ended = client->Watch(submitted->job_id(), false, [&](const v1::WatchEvent&) {
    heard.push_back(steady_clock::now());
    if (heard.size() == 1) kill(lost.pid(), GetParam());
    if (heard.size() != 2) return;
    const auto third = *cli::Client::Make({{other.address()}}, NoInterrupt());
    EXPECT_TRUE(third->Cancel(submitted->job_id()).ok());
  });
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->state(), v1::CANCELED);
  ASSERT_GE(heard.size(), 2u);
  EXPECT_LT(heard[1] - heard[0], seconds(5));
}

INSTANTIATE_TEST_SUITE_P(Signals, LostGatewayTest, ::testing::Values(SIGKILL, SIGSTOP));

}  // namespace
}  // namespace phasor
