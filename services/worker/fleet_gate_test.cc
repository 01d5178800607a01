#include "services/worker/fleet_gate.h"

#include "services/worker/testing/worker_fixture.h"

namespace phasor::worker {
namespace {

// The gate between a worker and its queue and store, of a fleet whose store is "mine" or not.
class WorkerFleetGateTest : public WorkerFixture {
 protected:
  void Turn(const std::string& store) {
    foundation_ = std::make_unique<queue::MemoryFoundation>();
    if (!store.empty()) (void)foundation_->Agree("store", store);
    reference_.foundation = foundation_.get();
    clock_.Advance(Millis(20'000));
    gate_.Tick();
  }
  queue::TakeRequest Request() const {
    return {.worker = "w", .node = "w", .nonce = RandomToken(), .models = {"tiny"}};
  }

  // Hands on to the one that stands now.
  struct Reference final : queue::Foundation {
    StatusOr<queue::Footing> Check() override { return foundation->Check(); }
    StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override {
      return foundation->Agree(fact, value);
    }
    int64_t connections() const override { return 1; }
    queue::Foundation* foundation = nullptr;
  };

  std::unique_ptr<queue::MemoryFoundation> foundation_;
  Reference reference_;
  FleetGate gate_{
      {.foundation = &reference_, .queue = &queue_, .store = store_.get(), .clock = &clock_}};
};

TEST_F(WorkerFleetGateTest, NothingIsTakenBeforeTheFleetIsKnown) {
  Submit();
  EXPECT_EQ(gate_.queue().Take(Request()).status().code(), StatusCode::kAborted)
      << "it waits; nobody refuses anything";
  Turn("");
  EXPECT_TRUE(gate_.ready().ok());
  EXPECT_TRUE(gate_.queue().Take(Request())->has_value());
}

TEST_F(WorkerFleetGateTest, WithAStoreThatIsAnotherOneNothingIsTakenAndNothingIsWritten) {
  Submit();
  Submit();
  Turn("");
  const auto grant = gate_.queue().Take(Request());
  ASSERT_TRUE(grant.ok() && grant->has_value());
  Turn("another");
  EXPECT_EQ(gate_.ready().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(gate_.refused().ok());
  EXPECT_EQ(gate_.store().Put("jobs/x", "y").code(), StatusCode::kUnavailable);
  EXPECT_EQ(gate_.queue().Take(Request()).status().code(), StatusCode::kFailedPrecondition);
  queue::RenewRequest renew;
  renew.fence = (*grant)->fence;
  renew.units = 1;
  EXPECT_EQ(*gate_.queue().Renew(renew), queue::OwnerAnswer::kOk) << "the job in hand is kept";
  const auto next = gate_.queue().CompleteAndTake({(*grant)->fence, "r"}, Request());
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->completed, queue::OwnerAnswer::kOk);
  EXPECT_FALSE(next->grant.has_value()) << "a job is told to be done, and none is taken";
}

TEST_F(WorkerFleetGateTest, AStoreThatIsWrongFromTheStartIsRefused) {
  Turn("another");
  EXPECT_EQ(gate_.refused().code(), StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace phasor::worker
