// The background roles, of one gateway and of several on one queue and one store.
#include "services/gateway/upkeep/roles.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The roles of one gateway with its own metrics.
struct Node {
  explicit Node(MemoryFleet* fleet, uint32_t seed)
      : roles({&fleet->queue, &fleet->queue, &fleet->store, &workers, &fleet->clock, &metrics},
              {.policy = {}, .interval = std::chrono::hours(1)}, seed) {}
  double Value(const std::string& series) const {
    const std::string text = metrics.Text();
    const size_t at = text.find("\nphasor_" + series + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + series.size() + 9));
  }

  metrics::Registry metrics;
  WorkerRegistry workers;
  Roles roles;
};

class RolesTest : public testing::Test {
 protected:
  job::JobId Submit(const std::string& key, queue::Priority priority = queue::Priority::kNormal,
                    int64_t deadline_ms = 0) {
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "", key);
    request.model = "demo";
    request.priority = priority;
    request.deadline_ms = deadline_ms;
    EXPECT_TRUE(fleet_.queue.Submit(request).ok());
    return request.id;
  }
  StatusOr<queue::OwnerAnswer> Renew(const queue::Grant& grant, int64_t units) {
    queue::RenewRequest request;
    request.fence = grant.fence;
    request.phase = queue::Phase::kDenoising;
    request.units = units;
    return fleet_.queue.Renew(request);
  }
  queue::State StateOf(const job::JobId& id) { return fleet_.queue.Get(id, {})->state; }

  MemoryFleet fleet_;
};

TEST_F(RolesTest, OneStepOfEachDoesWhatIsDue) {
  Node node(&fleet_, 1);
  const job::JobId lost = Submit("lost");
  fleet_.Take();
  const job::JobId late =
      Submit("late", queue::Priority::kNormal, fleet_.clock.WallMillis() + 1000);
  fleet_.clock.Advance(std::chrono::seconds(20));
  ASSERT_TRUE(node.roles.TickAll().ok());
  EXPECT_EQ(StateOf(lost), queue::State::kQueued);
  EXPECT_EQ(StateOf(late), queue::State::kExpired);
  EXPECT_GT(node.Value("audited_total"), 0);
}

TEST_F(RolesTest, SeveralGatewaysAtOnceMoveEachJobOnce) {
  constexpr int kJobs = 60;
  constexpr int kGateways = 4;
  const int64_t deadline = fleet_.clock.WallMillis() + 10'000;
  for (int i = 0; i < kJobs; ++i) Submit("taken" + std::to_string(i));
  for (int i = 0; i < kJobs; ++i) {
    queue::RenewRequest heard;
    heard.fence = fleet_.Take().fence;
    ASSERT_EQ(*fleet_.queue.Renew(heard), queue::OwnerAnswer::kOk);
  }
  for (int i = 0; i < kJobs; ++i) {
    Submit("late" + std::to_string(i), queue::Priority::kNormal, deadline);
  }
  fleet_.clock.Advance(std::chrono::seconds(20));
  std::vector<std::unique_ptr<Node>> nodes;
  for (uint32_t i = 0; i < kGateways; ++i) nodes.push_back(std::make_unique<Node>(&fleet_, i));
  {
    std::vector<std::jthread> threads;
    for (const auto& node : nodes) {
      threads.emplace_back([&node] {
        for (int tick = 0; tick < 5; ++tick) EXPECT_TRUE(node->roles.TickAll().ok());
      });
    }
  }
  double moved = 0;
  for (const auto& node : nodes) moved += node->Value("recovered_jobs_total");
  EXPECT_EQ(moved, 2 * kJobs);
  const auto stats = fleet_.queue.Stats();
  EXPECT_EQ(stats->live, kJobs);
  EXPECT_EQ(stats->sealing, 0);
  for (int i = 0; i < kJobs; ++i) {
    const auto view =
        fleet_.queue.Get(job::MakeJobId("secret", "", "taken" + std::to_string(i)), {});
    EXPECT_EQ(view->state, queue::State::kQueued);
    EXPECT_EQ(view->crashes, 1) << "each loss is counted once";
    const job::JobId late = job::MakeJobId("secret", "", "late" + std::to_string(i));
    EXPECT_EQ(StateOf(late), queue::State::kExpired);
    EXPECT_EQ(fleet_.store.ReadTerminal(late)->state, job::State::kExpired);
  }
}

TEST_F(RolesTest, TheHolderOfALessUrgentJobIsAskedAtOnceAndCountedOnce) {
  Node first(&fleet_, 1);
  Node second(&fleet_, 2);
  std::vector<std::string> told;
  v1::Hello hello;
  hello.set_name("w1");
  second.workers.Connect(hello, [&](const v1::GatewayMessage& message) {
    told.push_back(message.preempt().job_id());
  });
  const job::JobId low = Submit("low", queue::Priority::kLow);
  const queue::Grant grant = fleet_.Take();
  fleet_.clock.Advance(std::chrono::seconds(6));
  ASSERT_EQ(*Renew(grant, 3), queue::OwnerAnswer::kOk);
  Submit("urgent", queue::Priority::kUrgent);
  fleet_.clock.Advance(std::chrono::seconds(3));
  ASSERT_TRUE(first.roles.TickAll().ok());
  ASSERT_TRUE(second.roles.TickAll().ok());
  EXPECT_THAT(told, ElementsAre(low))
      << "whoever asked, the gateway that knows the worker tells it";
  EXPECT_EQ(first.Value("preemptions_asked_total") + second.Value("preemptions_asked_total"), 1);
  EXPECT_EQ(*Renew(grant, 4), queue::OwnerAnswer::kPreempted);
}

class StoreKeeperTest : public RolesTest {
 protected:
  StoreKeeperTest() {
    keeper_.emplace(StoreSweep::Parts{&fleet_.store, &fleet_.queue, &fleet_.clock, &metrics_},
                    StoreKeeper::Config{.policy = {.orphan_after = std::chrono::hours(24)},
                                        .interval = std::chrono::hours(1),
                                        .first = 0.5});
  }
  // Ticks that make a whole round and more.
  void Round() {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(keeper_->Tick().ok());
  }
  std::vector<std::string> Keys() { return *storage::ListKeys(fleet_.store, "jobs"); }

  metrics::Registry metrics_;
  std::optional<StoreKeeper> keeper_;
};

TEST_F(StoreKeeperTest, LetsGoWhatNoJobNeeds) {
  const job::JobId open = Submit("open");
  const job::JobId gone = job::MakeJobId("secret", "", "gone");
  const std::string kept = storage::CheckpointKey(open, 1, 5);
  ASSERT_TRUE(fleet_.store.Put(kept, "checkpoint").ok());
  ASSERT_TRUE(fleet_.store.Put(storage::BlobKey(gone, 1, "n", 0), "orphan").ok());
  Round();
  EXPECT_EQ(Keys().size(), 2u) << "the first round is yet to come";
  fleet_.clock.Advance(std::chrono::hours(25));
  Round();
  EXPECT_THAT(Keys(), UnorderedElementsAre(kept));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_store_deleted_total{kind=\"orphan\"} 1"));
}

}  // namespace
}  // namespace phasor::gateway
