#include "services/worker/take/intake.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

constexpr Millis kLongestRest{60'000};
// For a larger worker to take a job that did not fit here: longer than an idle one looks for work.
constexpr Millis kForLarger{1'500};

}  // namespace

Intake::Intake(Config config, const Clock& clock, std::function<double()> memory_percent)
    : config_(std::move(config)),
      clock_(clock),
      memory_percent_(std::move(memory_percent)),
      worker_(config_.cordon),
      rest_until_(clock.Steady()) {
  for (const std::string& model : config_.models) by_model_.try_emplace(model, config_.cordon);
}

void Intake::Close() {
  MutexLock lock(&mu_);
  ordered_ = true;
}

void Intake::RestAfter(const std::string& job, Millis rest) {
  MutexLock lock(&mu_);
  rest_after_ = job;
  rest_ = std::clamp(rest, Millis(0), kLongestRest);
}

void Intake::JobEnded(const JobOutcome& outcome) {
  MutexLock lock(&mu_);
  if (outcome.job == rest_after_ && !outcome.came_out) rest_until_ = clock_.Steady() + rest_;
  if (outcome.job == rest_after_ || !outcome.others_in_hand) rest_after_.clear();
  Cordon& cordon = by_model_.try_emplace(outcome.model, config_.cordon).first->second;
  if (outcome.came_out) {
    worker_.Succeeded();
    cordon.Succeeded();
  }
  if (outcome.failed == job::ErrorClass::kOutOfMemory) {
    const SteadyTime again = clock_.Steady() + outcome.retry_in;
    left_[outcome.model] = {again, again + kForLarger};
  }
  if (!outcome.failed.has_value() || outcome.failed_before) return;
  cordon.Failed(outcome.job, *outcome.failed, clock_.Steady());
  if (cordon.IsClosed()) {
    log::Warn("several jobs in a row failed here, the worker tests itself before it takes more",
              {{"model", outcome.model}});
  }
}

std::optional<std::string> Intake::DueTest() {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(&mu_);
  if (ordered_ || (worker_.IsClosed() && !worker_.TestIsDue(now))) return std::nullopt;
  for (const auto& [model, cordon] : by_model_) {
    if (cordon.TestIsDue(now)) return model;
  }
  return std::nullopt;
}

void Intake::Tested(const std::string& model, TestResult result) {
  const SteadyTime now = clock_.Steady();
  MutexLock lock(&mu_);
  worker_.Tested(result != TestResult::kStoreFails, now);
  Cordon& cordon = by_model_.try_emplace(model, config_.cordon).first->second;
  // Without a store nothing was learnt of the model: its test stays due.
  if (result != TestResult::kStoreFails) cordon.Tested(result == TestResult::kSound, now);
}

bool Intake::AllDoubted() const {
  return worker_.IsClosed() ||
         (!by_model_.empty() && std::all_of(by_model_.begin(), by_model_.end(),
                                            [](const auto& one) { return one.second.IsClosed(); }));
}

bool Intake::IsLeft(const std::string& model, SteadyTime now) const {
  const auto found = left_.find(model);
  return found != left_.end() && now >= found->second.from && now < found->second.until;
}

std::optional<Closed> Intake::Look() {
  const SteadyTime now = clock_.Steady();
  {
    MutexLock lock(&mu_);
    if (ordered_) return Closed::kOrdered;
    if (AllDoubted()) return Closed::kCordoned;
    const bool all_left =
        !by_model_.empty() && std::all_of(by_model_.begin(), by_model_.end(),
                                          [&](const auto& one) { return IsLeft(one.first, now); });
    if (now < rest_until_ || all_left) return Closed::kResting;
  }
  const bool measured = config_.max_memory_percent < 100;
  if (measured && memory_percent_() > config_.max_memory_percent) return Closed::kMemory;
  return std::nullopt;
}

bool Intake::Offers(const std::string& model) const {
  MutexLock lock(&mu_);
  if (IsLeft(model, clock_.Steady())) return false;
  const auto cordon = by_model_.find(model);
  return cordon == by_model_.end() || !cordon->second.IsClosed();
}

}  // namespace phasor::worker
