#include "services/gateway/flow/cleanup_flow.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/rpc/status_details.h"
#include "services/gateway/testing/faulty_ports.h"
#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CleanupFlowTest : public testing::Test {
 protected:
  static job::JobId Id(const std::string& key) { return job::MakeJobId("secret", "", key); }
  void Put(const std::string& key) { ASSERT_TRUE(fleet_.store.Put(key, "bytes").ok()); }
  void End(const std::string& job) {
    ASSERT_TRUE(fleet_.store.CreateTerminal(Ended(Id(job), job::State::kDone)).ok());
  }
  StatusOr<v1::CleanupResponse> Run() {
    return flow_.Run([this] { return ++asked_ > patience_; });
  }
  std::vector<std::string> Keys() { return *storage::ListKeys(fleet_.store, "jobs"); }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  int asked_ = 0;
  int patience_ = 1'000;
  FaultyStore store_{&fleet_.store};
  FaultyQueue queue_{&fleet_.queue};
  CleanupFlow flow_{{&store_, &queue_, &fleet_.clock, &metrics_},
                    {.orphan_after = std::chrono::hours(24),
                     .result_retention = std::chrono::hours(48),
                     .record_retention = std::chrono::hours(96)}};
};

TEST_F(CleanupFlowTest, AnEmptyStoreIsClean) {
  const auto answer = Run();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->store().looked(), 0);
  EXPECT_EQ(answer->freed_bytes(), 0);
}

TEST_F(CleanupFlowTest, SaysWhatWentAndLeavesWhatIsNeeded) {
  queue::SubmitRequest open;
  open.id = Id("open");
  open.model = "demo";
  ASSERT_TRUE(fleet_.queue.Submit(open).ok());
  const std::string kept = storage::CheckpointKey(open.id, 1, 5);
  Put(kept);
  Put(storage::BlobKey(Id("nobody's"), 1, "n", 0));
  Put(storage::CheckpointKey(Id("ended"), 1, 5));
  Put(storage::CheckpointKey(Id("ended"), 1, 9));
  End("ended");
  auto answer = Run();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->store().looked(), 5);
  EXPECT_EQ(answer->store().checkpoints(), 2);
  EXPECT_EQ(answer->store().orphans(), 0) << "too young";
  fleet_.clock.Advance(std::chrono::hours(100));
  answer = Run();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->store().looked(), 3);
  EXPECT_EQ(answer->store().orphans(), 1);
  EXPECT_EQ(answer->store().records(), 1);
  EXPECT_EQ(answer->store().results(), 0);
  EXPECT_THAT(Keys(), UnorderedElementsAre(kept));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_store_deleted_total{kind=\"checkpoint\"} 2"));
}

TEST_F(CleanupFlowTest, WalksOverAllPages) {
  constexpr int kJobs = 2 * storage::kMaxListPage + 1;
  for (int i = 0; i < kJobs; ++i) Put(storage::BlobKey(Id(std::to_string(i)), 1, "n", 0));
  fleet_.clock.Advance(std::chrono::hours(25));
  const auto answer = Run();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->store().orphans(), kJobs);
  EXPECT_EQ(asked_, 2) << "after every page but the last";
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(CleanupFlowTest, EndsWhenTheCallerGoesAndMayBeCalledAgain) {
  constexpr int kJobs = 2 * storage::kMaxListPage;
  for (int i = 0; i < kJobs; ++i) Put(storage::BlobKey(Id(std::to_string(i)), 1, "n", 0));
  fleet_.clock.Advance(std::chrono::hours(25));
  patience_ = 0;
  EXPECT_EQ(Run().status().code(), StatusCode::kCancelled);
  const size_t left = Keys().size();
  EXPECT_GT(left, 0u);
  EXPECT_LT(left, size_t{kJobs}) << "what went is gone";
  patience_ = 1'000;
  ASSERT_TRUE(Run().ok());
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(CleanupFlowTest, OnlyOneAtATime) {
  constexpr int kJobs = storage::kMaxListPage + 1;
  for (int i = 0; i < kJobs; ++i) Put(storage::BlobKey(Id(std::to_string(i)), 1, "n", 0));
  Status second;
  ASSERT_TRUE(flow_
                  .Run([&] {
                    second = Run().status();
                    return false;
                  })
                  .ok());
  EXPECT_EQ(second.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(rpc::RetryAfterOf(second).has_value());
}

TEST_F(CleanupFlowTest, AStoreOrAQueueThatDoesNotAnswerEndsItAndCostsNothing) {
  Put(storage::BlobKey(Id("nobody's"), 1, "n", 0));
  fleet_.clock.Advance(std::chrono::hours(25));
  for (Fault* fault : {&store_.fault, &queue_.fault}) {
    fault->Set(Unavailable("away"));
    EXPECT_EQ(Run().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(Keys().size(), 1u);
    fault->Clear();
  }
  EXPECT_EQ(Run()->store().orphans(), 1) << "none of it is in its own way";
}

}  // namespace
}  // namespace phasor::gateway
