#include "services/worker/report/report_stream.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "common/rpc/channel.h"
#include "common/rpc/server.h"
#include "gtest/gtest.h"
#include "services/worker/testing/fake_gateway.h"

namespace phasor::worker {
namespace {

v1::JobProgress Progress(const std::string& id, int step, int preview = -1) {
  v1::JobProgress progress;
  progress.set_job_id(id);
  progress.set_step(step);
  if (preview >= 0) {
    progress.set_preview_image(preview);
    progress.set_preview_png("png");
  }
  return progress;
}

TEST(ReportOutboxTest, KeepsOnlyTheNewestProgressAndPreviews) {
  ReportOutbox outbox;
  for (int step = 0; step < 1'000; ++step) {
    outbox.Put(Progress("a", step));
    outbox.Put(Progress("a", step, 0));
    outbox.Put(Progress("a", step, 1));
  }
  EXPECT_EQ(outbox.Next(Millis(0))->step(), 999);
  EXPECT_EQ(outbox.Next(Millis(0))->preview_image(), 0);
  EXPECT_EQ(outbox.Next(Millis(0))->preview_image(), 1);
  EXPECT_FALSE(outbox.Next(Millis(0)).has_value());
}

TEST(ReportOutboxTest, ForgetsPreviewsOfTheJobBefore) {
  ReportOutbox outbox;
  outbox.Put(Progress("a", 1));
  outbox.Put(Progress("a", 1, 3));
  outbox.Put(Progress("b", 0));
  EXPECT_EQ(outbox.Next(Millis(0))->job_id(), "b");
  EXPECT_FALSE(outbox.Next(Millis(0)).has_value());
}

TEST(ReportOutboxTest, SaysNothingOnceClosed) {
  ReportOutbox outbox;
  outbox.Put(Progress("a", 1));
  outbox.Close();
  EXPECT_FALSE(outbox.Next(Millis(60'000)).has_value());
}

class ReportStreamTest : public ::testing::Test {
 protected:
  ReportStreamTest() {
    server_ = *rpc::Server::Start({.address = "127.0.0.1:0"}, {&gateway_});
    v1::Hello hello;
    hello.set_name("w1");
    const auto obey = [this](const std::string& order) {
      const std::lock_guard lock(mu_);
      orders_.push_back(order);
      obeyed_.notify_all();
    };
    stream_ = std::make_unique<ReportStream>(
        "g", ReportStream::Parts{
                 .channel = *rpc::MakeChannel({.address = server_->address()}),
                 .hello = hello,
                 .stats =
                     [this] {
                       const std::lock_guard lock(mu_);
                       return stats_;
                     },
                 .commands = {.cancel = [obey](const std::string& id) { obey("cancel " + id); },
                              .preempt =
                                  [obey](const std::string& id, Millis rest) {
                                    obey("preempt " + id + " " + std::to_string(rest.count()));
                                  },
                              .drain = [obey] { obey("drain"); },
                              .order =
                                  [obey](const Order& order) {
                                    obey("order " + std::to_string(static_cast<int>(order.kind)) +
                                         " " + order.model + (order.pin ? " pinned" : ""));
                                    if (order.done) order.done(NotFound("no " + order.model), 7);
                                  }},
                 .draw = [] { return 0.0; }});
    running_ = std::jthread([this](std::stop_token stop) { stream_->Run(stop); });
  }
  ~ReportStreamTest() override {
    running_.request_stop();
    running_.join();
  }

  void SetStats(const std::string& state, const std::string& job_id) {
    const std::lock_guard lock(mu_);
    stats_.set_state(state);
    stats_.set_job_id(job_id);
  }
  bool Connected(size_t times) {
    return gateway_.WaitFor(
        [times](const FakeGateway& gateway) { return gateway.hellos_.size() == times; });
  }
  // What was obeyed once `count` orders were.
  std::vector<std::string> Orders(size_t count) {
    std::unique_lock lock(mu_);
    obeyed_.wait_for(lock, std::chrono::seconds(30), [&] { return orders_.size() >= count; });
    return orders_;
  }

  FakeGateway gateway_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<ReportStream> stream_;
  std::mutex mu_;
  std::condition_variable obeyed_;
  v1::WorkerStats stats_;
  std::vector<std::string> orders_;
  std::jthread running_;
};

TEST_F(ReportStreamTest, SaysHelloThenStatisticsAndProgress) {
  SetStats("busy", "job");
  ASSERT_TRUE(Connected(1));
  EXPECT_TRUE(gateway_.WaitForState("busy"));
  stream_->Report(Progress("job", 5));
  EXPECT_TRUE(gateway_.WaitFor([](const FakeGateway& gateway) {
    return gateway.hellos_.front().name() == "w1" && gateway.progress_.step() == 5;
  }));
  SetStats("idle", "");
  EXPECT_TRUE(gateway_.WaitForState("idle")) << "a change is told at once";
}

TEST_F(ReportStreamTest, ObeysEveryOrder) {
  ASSERT_TRUE(Connected(1));
  v1::GatewayMessage order;
  order.mutable_cancel()->set_job_id("a");
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_preempt()->set_job_id("b");
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_preempt()->set_rest_seconds(1.5);
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_preempt()->set_rest_seconds(1e300);
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_preempt()->set_rest_seconds(-1);
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_drain();
  ASSERT_TRUE(gateway_.Send(order));
  order.mutable_preload()->set_model("m");
  order.mutable_preload()->set_order(5);
  ASSERT_TRUE(gateway_.Send(order));
  order.Clear();
  ASSERT_TRUE(gateway_.Send(order)) << "an order of a newer gateway";
  order.mutable_drain();
  ASSERT_TRUE(gateway_.Send(order));
  EXPECT_EQ(Orders(8), (std::vector<std::string>{"cancel a", "preempt b 0", "preempt b 1500",
                                                 "preempt b 60000", "preempt b 0", "drain",
                                                 "order 0 m", "drain"}));
  EXPECT_TRUE(gateway_.WaitFor([](const FakeGateway& gateway) {
    return gateway.dones_.size() == 1 && gateway.dones_[0].order() == 5 &&
           gateway.dones_[0].code() == static_cast<int>(StatusCode::kNotFound) &&
           gateway.dones_[0].freed_bytes() == 7;
  })) << "what came of an order that has a number";
}

TEST_F(ReportStreamTest, OpensAgainAfterTheGatewayHungUp) {
  ASSERT_TRUE(Connected(1));
  SetStats("busy", "job");
  ASSERT_TRUE(gateway_.WaitForState("busy"));
  gateway_.HangUp();
  SetStats("idle", "");
  EXPECT_TRUE(Connected(2));
  EXPECT_TRUE(gateway_.WaitForState("idle"));
}

TEST_F(ReportStreamTest, ProgressOfAJobThatHasEndedIsNotToldAnyMore) {
  SetStats("busy", "new");
  ASSERT_TRUE(gateway_.WaitForState("busy"));
  stream_->Report(Progress("old", 7));
  SetStats("idle", "new");
  ASSERT_TRUE(gateway_.WaitForState("idle"));
  stream_->Report(Progress("new", 1));
  EXPECT_TRUE(gateway_.WaitFor(
      [](const FakeGateway& gateway) { return gateway.progress_.job_id() == "new"; }));
  EXPECT_EQ(gateway_.progresses_, 1);
}

}  // namespace
}  // namespace phasor::worker
