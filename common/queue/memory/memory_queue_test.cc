#include "common/queue/memory/memory_queue.h"

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

class MemoryQueueUnderTest final : public QueueUnderTest {
 public:
  Producer& producer() override { return queue_; }
  Consumer& consumer() override { return queue_; }
  Maintenance& maintenance() override { return queue_; }
  Control& control() override { return queue_; }
  EventChannel& events() override { return queue_; }
  void Advance(Millis by) override { clock_.Advance(by); }
  void DeclareWhole() override { queue_.DeclareWhole(); }
  std::vector<std::string> Violations() override { return queue_.Violations(); }

 private:
  FakeClock clock_;
  MemoryQueue queue_{clock_};
};

std::unique_ptr<QueueUnderTest> Make() { return std::make_unique<MemoryQueueUnderTest>(); }

INSTANTIATE_TEST_SUITE_P(Memory, QueueContract, testing::Values(&Make));

TEST(MemoryQueueTest, ForgetsAJobWhenItsTimeIsOver) {
  FakeClock clock;
  MemoryQueue queue(clock);
  SubmitRequest request = TestRequest(1);
  request.keep = Millis(1'000);
  ASSERT_TRUE(queue.Submit(request).ok());
  clock.Advance(Millis(5'000));
  EXPECT_TRUE(queue.Get(request.id, {}).ok()) << "only what has ended is forgotten";
  ASSERT_TRUE(queue.Cancel(request.id, {}).ok());
  clock.Advance(Millis(1'001));
  EXPECT_EQ(queue.Get(request.id, {}).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(queue.List({})->jobs.empty());
  EXPECT_EQ(queue.Submit(request)->outcome, SubmitOutcome::kAccepted);
}

TEST(MemoryQueueTest, AListenerThatIsGoneHearsNothing) {
  FakeClock clock;
  MemoryQueue queue(clock);
  int heard = 0;
  queue.Subscribe([&](const Event&) { ++heard; }).reset();
  ASSERT_TRUE(queue.Submit(TestRequest(1)).ok());
  EXPECT_EQ(heard, 0);
}

}  // namespace
}  // namespace phasor::queue
