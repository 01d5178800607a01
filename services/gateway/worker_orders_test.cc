#include "services/gateway/worker_orders.h"

#include <gtest/gtest.h>

#include <optional>

namespace phasor::gateway {
namespace {

class WorkerOrdersTest : public testing::Test {
 protected:
  WorkerOrdersTest() {
    v1::Hello hello;
    hello.set_name("w1");
    ticket_ = workers_.Connect(hello, [this](const auto& message) { sent_.push_back(message); });
  }
  void Send(const std::string& worker) {
    v1::GatewayMessage message;
    message.mutable_cleanup();
    orders_.Send(worker, message, [this](const StatusOr<int64_t>& freed) {
      EXPECT_FALSE(heard_.has_value()) << "once";
      heard_ = freed;
    });
  }
  v1::OrderDone Answer(int64_t number) {
    v1::OrderDone done;
    done.set_order(number);
    done.set_freed_bytes(7);
    return done;
  }

  FakeClock clock_;
  WorkerRegistry workers_;
  WorkerOrders orders_{&workers_, &clock_};
  WorkerRegistry::Ticket ticket_ = 0;
  std::vector<v1::GatewayMessage> sent_;
  std::optional<StatusOr<int64_t>> heard_;
};

TEST_F(WorkerOrdersTest, TheCallerHearsWhatCameOfIt) {
  Send("w1");
  ASSERT_EQ(sent_.size(), 1u);
  const int64_t number = sent_[0].cleanup().order();
  EXPECT_GT(number, 0);
  orders_.OnDone(Answer(number + 1));
  EXPECT_FALSE(heard_.has_value());
  orders_.OnDone(Answer(number));
  ASSERT_TRUE(heard_.has_value());
  EXPECT_EQ(**heard_, 7);
  orders_.OnDone(Answer(number));
  orders_.OnDisconnect("w1");
}

TEST_F(WorkerOrdersTest, AWorkersErrorIsTheCallers) {
  Send("w1");
  v1::OrderDone done = Answer(sent_[0].cleanup().order());
  done.set_code(static_cast<int32_t>(StatusCode::kDataLoss));
  done.set_message("broken");
  orders_.OnDone(done);
  EXPECT_EQ(heard_->status().code(), StatusCode::kDataLoss);
}

TEST_F(WorkerOrdersTest, NobodyWaitsForAWorkerThatIsGone) {
  Send("nobody");
  EXPECT_EQ(heard_->status().code(), StatusCode::kNotFound);
  heard_.reset();
  Send("w1");
  orders_.OnDisconnect("w2");
  EXPECT_FALSE(heard_.has_value());
  orders_.OnDisconnect("w1");
  EXPECT_EQ(heard_->status().code(), StatusCode::kUnavailable);
}

TEST_F(WorkerOrdersTest, NorForOneThatTakesTooLong) {
  Send("w1");
  clock_.Advance(Millis(299'000));
  orders_.Tick();
  EXPECT_FALSE(heard_.has_value());
  clock_.Advance(Millis(1'000));
  orders_.Tick();
  EXPECT_EQ(heard_->status().code(), StatusCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace phasor::gateway
