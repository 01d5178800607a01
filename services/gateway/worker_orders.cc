#include "services/gateway/worker_orders.h"

#include <utility>
#include <vector>

namespace phasor::gateway {
namespace {

constexpr Millis kPatience{300'000};  // a job in hand goes before

bool SetNumber(int64_t number, v1::GatewayMessage* message) {
  switch (message->message_case()) {
    case v1::GatewayMessage::kPreload:
      message->mutable_preload()->set_order(number);
      return true;
    case v1::GatewayMessage::kUnload:
      message->mutable_unload()->set_order(number);
      return true;
    case v1::GatewayMessage::kCleanup:
      message->mutable_cleanup()->set_order(number);
      return true;
    default:
      return false;
  }
}

}  // namespace

void WorkerOrders::Send(const std::string& worker, v1::GatewayMessage message, Done done) {
  int64_t number = 0;
  {
    MutexLock lock(&mu_);
    number = ++last_;
    open_[number] = {worker, clock_->Steady() + kPatience, std::move(done)};
  }
  if (SetNumber(number, &message) && workers_->SendTo(worker, message)) return;
  Done unsent;
  {
    MutexLock lock(&mu_);
    const auto found = open_.find(number);
    if (found == open_.end()) return;
    unsent = std::move(found->second.done);
    open_.erase(found);
  }
  const Status unknown = workers_->Find(worker).status();
  unsent(unknown.ok() ? Unavailable("the worker is not reached") : unknown);
}

void WorkerOrders::OnDone(const v1::OrderDone& answer) {
  Done done;
  {
    MutexLock lock(&mu_);
    const auto found = open_.find(answer.order());
    if (found == open_.end()) return;
    done = std::move(found->second.done);
    open_.erase(found);
  }
  const auto code = static_cast<StatusCode>(answer.code());
  if (code == StatusCode::kOk) return done(answer.freed_bytes());
  done(Public(MakeStatus(code, answer.message())));
}

void WorkerOrders::End(const std::function<bool(const Open&)>& which, const Status& why) {
  std::vector<Done> ended;
  {
    MutexLock lock(&mu_);
    std::erase_if(open_, [&](auto& one) {
      if (!which(one.second)) return false;
      ended.push_back(std::move(one.second.done));
      return true;
    });
  }
  for (const Done& done : ended) done(why);
}

void WorkerOrders::OnDisconnect(const std::string& worker) {
  End([&](const Open& order) { return order.worker == worker; },
      Public(Unavailable("the worker's stream broke; what it did is not known")));
}

void WorkerOrders::Tick() {
  const SteadyTime now = clock_->Steady();
  End([&](const Open& order) { return now >= order.until; },
      Public(MakeStatus(StatusCode::kDeadlineExceeded,
                        "the worker has not done it in time; it may do it later")));
}

}  // namespace phasor::gateway
