// What a gateway does that does not belong to its fleet, or may not know yet.

#include "services/gateway/fleet_gate.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/gateway/testing/gateway_fixture.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

// A foundation that answers as the test wishes.
class FakeFoundation final : public queue::Foundation {
 public:
  StatusOr<queue::Footing> Check() override {
    MutexLock lock(&mu_);
    return footing_;
  }
  StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override {
    {
      MutexLock lock(&mu_);
      if (fact == foreign_) return std::string("another");
    }
    return facts_.Agree(fact, value);
  }
  int64_t connections() const override { return connections_; }

  void Set(StatusOr<queue::Footing> footing) {
    MutexLock lock(&mu_);
    footing_ = std::move(footing);
    ++connections_;
  }
  // The fleet has another value for this fact; "": for none.
  void SetForeign(const std::string& fact) {
    MutexLock lock(&mu_);
    foreign_ = fact;
    ++connections_;
  }

 private:
  Mutex mu_;
  StatusOr<queue::Footing> footing_ GUARDED_BY(mu_) = queue::Footing{};
  std::string foreign_ GUARDED_BY(mu_);
  queue::MemoryFoundation facts_;
  std::atomic<int64_t> connections_{1};
};

class FleetGateTest : public GatewayFixture {
 protected:
  void SetUp() override {}

  Status StartWith(bool allow_job_loss = false) {
    Gateway::Ports ports = FleetPorts();
    ports.foundation = &fake_;
    GatewayConfig config;
    config.listen = "127.0.0.1:0";
    config.allow_job_loss = allow_job_loss;
    auto started = Gateway::Start(config, "0123456789abcdef", {{DemoCard()}}, ports);
    if (!started.ok()) return started.status();
    gateway_ = std::move(*started);
    Connect();
    return OkStatus();
  }

  // Until `wanted` holds; the loops tick about every second.
  template <typename Condition>
  static bool Becomes(Condition wanted) {
    for (int i = 0; i < 1'000 && !wanted(); ++i) std::this_thread::sleep_for(Millis(10));
    return wanted();
  }

  std::string JobLoss() {
    return Ask(admin_.get(), &v1::Admin::Stub::Stats, v1::StatsRequest())->job_loss();
  }

  FakeFoundation fake_;
};

TEST_F(FleetGateTest, AnotherSecretOrStoreIsNotStartedWith) {
  for (const std::string fact : {"secret", "store"}) {
    fake_.SetForeign(fact);
    const Status status = StartWith();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << fact;
    EXPECT_THAT(Message(status), HasSubstr(fact));
    EXPECT_THAT(Message(status), HasSubstr("another"));
  }
}

TEST_F(FleetGateTest, WhileTheSecretOrTheStoreIsAnotherOneNothingIsServed) {
  ASSERT_TRUE(StartWith().ok());
  const std::string id = Submit()->job_id();
  ASSERT_TRUE(Becomes([&] { return gateway_->ready().ok(); }));
  for (const std::string fact : {"secret", "store"}) {
    fake_.SetForeign(fact);
    ASSERT_TRUE(Becomes([&] { return !gateway_->ready().ok(); })) << fact;
    EXPECT_TRUE(gateway_->refused().ok()) << "it was of use, so it waits to be so again";
    EXPECT_EQ(Submit().status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(Get(id).status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(Cancel(id).status().code(), StatusCode::kUnavailable);
    fake_.SetForeign("");
    ASSERT_TRUE(Becomes([&] { return gateway_->ready().ok(); })) << gateway_->ready();
    EXPECT_TRUE(Submit().ok());
    EXPECT_TRUE(Get(id).ok());
  }
}

TEST_F(FleetGateTest, AFoundationThatIsAwayIsWaitedForAndRefusedIfItsFirstAnswerIsWrong) {
  fake_.Set(Unavailable("not there yet"));
  ASSERT_TRUE(StartWith().ok());
  EXPECT_EQ(Submit().status().code(), StatusCode::kUnavailable) << "it is not known what it is";
  EXPECT_TRUE(gateway_->refused().ok());
  fake_.Set(FailedPrecondition("the user lacks +publish"));
  ASSERT_TRUE(Becomes([&] { return !gateway_->refused().ok(); }));
  EXPECT_THAT(Message(gateway_->refused()), HasSubstr("+publish"));
  EXPECT_EQ(Submit().status().code(), StatusCode::kUnavailable);
}

TEST_F(FleetGateTest, WhatTurnsWrongLaterIsNotReadyAndGoesOnServing) {
  ASSERT_TRUE(StartWith().ok());
  fake_.Set(FailedPrecondition("the user lacks +publish"));
  ASSERT_TRUE(Becomes([&] { return !gateway_->ready().ok(); }));
  EXPECT_TRUE(Submit().ok());
  EXPECT_TRUE(gateway_->refused().ok());
  EXPECT_TRUE(
      Becomes([&] { return metrics_.Text().find("phasor_fleet_ready 0") != std::string::npos; }));
  fake_.Set(queue::Footing{});
  EXPECT_TRUE(Becomes([&] { return gateway_->ready().ok(); }));
}

TEST_F(FleetGateTest, JobsThatMayBeLostAreSaidInEveryStatsAndInAMetric) {
  const queue::Footing evicting{.job_loss = "this Redis evicts keys"};
  fake_.Set(evicting);
  EXPECT_EQ(StartWith().code(), StatusCode::kFailedPrecondition);
  ASSERT_TRUE(StartWith(/*allow_job_loss=*/true).ok());
  EXPECT_EQ(JobLoss(), "this Redis evicts keys");
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_queue_may_lose_jobs 1"));
  EXPECT_TRUE(Submit().ok());
  fake_.Set(queue::Footing{});
  EXPECT_TRUE(Becomes([&] { return JobLoss().empty(); }));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_queue_may_lose_jobs 0"));
}

}  // namespace
}  // namespace phasor::gateway
