#include "services/worker/take/executor.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "engine/api/device_lost.h"
#include "services/worker/take/self_check.h"

namespace phasor::worker {
namespace {

constexpr size_t kMaxAsked = 16;
constexpr Millis kNap{200};   // while no job is to be taken
constexpr Millis kWait{500};  // for a hint that work arrived; also how fast a drain is seen
// How long a draining worker asks whether its last take got it a job.
constexpr Millis kLongestFarewell{3'000};

std::vector<std::string> NamesOf(const std::vector<config::ModelCard>& cards) {
  std::vector<std::string> names;
  for (const config::ModelCard& card : cards) names.push_back(card.name);
  return names;
}

}  // namespace

Executor::Executor(Parts parts, ExecutorConfig config)
    : parts_(std::move(parts)), config_(std::move(config)), offer_(NamesOf(config_.models)) {
  if (!config_.preload.empty()) asked_.push_back(config_.preload);
}

Status Executor::Run() {
  ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine, parts_.make_engine());
  ModelCache models(*engine, config_.models, config_.max_models_resident, parts_.patience.clock,
                    parts_.metrics);
  JobRunner runner({.queue = parts_.queue,
                    .store = parts_.store,
                    .models = models,
                    .lease = parts_.lease,
                    .progress = parts_.progress,
                    .patience = parts_.patience,
                    .metrics = parts_.metrics,
                    .on_device_lost = parts_.on_device_lost},
                   config_.runner);
  Taker taker(parts_.queue, parts_.patience, config_.taker);
  LoadAsked(models);
  parts_.status.Ready();
  log::Info("worker ready", {{"engine", engine->Versions()}, {"models", config_.models.size()}});
  while (!MayLeave(taker)) {
    if (HasAsked()) taker.Settle();  // loading takes a while
    LoadAsked(models);
    if (!taker.MayHoldJob()) RETURN_IF_ERROR(TestIfDue(taker, models));
    if (!taker.MayHoldJob() && !IntakeIsOpen()) {
      taker.Settle();
      parts_.patience.sleep(kNap);
      continue;
    }
    ASSIGN_OR_RETURN(const bool worked, Tick(taker, models, runner));
    if (!worked && !draining() && offer_.RoundIsOver()) parts_.queue.WaitForWork(kWait);
  }
  taker.Settle();
  return OkStatus();
}

bool Executor::IntakeIsOpen() {
  const std::optional<Closed> closed = parts_.intake.Look();
  parts_.status.SetClosed(closed);
  parts_.metrics.SetClosed(closed);
  return !closed.has_value();
}

StatusOr<bool> Executor::Tick(Taker& taker, ModelCache& models, JobRunner& runner) {
  const auto taken = taker.Take(offer_.Next(
      models.Resident(), [this](const std::string& model) { return parts_.intake.Offers(model); }));
  if (!taken.ok()) {
    TakeFailed(taken.status());
    return true;
  }
  if (failures_ > 0) log::Info("the queue gives jobs again");
  failures_ = 0;
  parts_.status.SetQueue(OkStatus());
  if (!taken->has_value()) return false;
  const std::string& id = (*taken)->grant.fence.id;
  parts_.status.Busy(id);
  const JobEnd end = runner.Run((*taken)->grant, (*taken)->sent);
  if (end.completion) taker.Owe(*end.completion);
  const queue::Grant& grant = (*taken)->grant;
  parts_.intake.JobEnded({.job = id,
                          .model = grant.model,
                          .came_out = end.came_out,
                          .failed_before = grant.tries + grant.crashes > 0,
                          .failed = end.failed});
  parts_.status.Idle();
  parts_.status.Resident(models.Resident());
  if (end.failed == job::ErrorClass::kDeviceLost) return engine::DeviceLost("the device is lost");
  return true;
}

void Executor::TakeFailed(const Status& status) {
  const bool unreached = status.code() == StatusCode::kUnavailable;
  if (failures_++ == 0) {
    if (status.code() == StatusCode::kAborted) {
      log::Info("no job is taken before Redis and the store answer", {{"status", status}});
    } else {
      log::Warn(unreached ? "the queue is not reached" : "the queue refuses to give jobs",
                {{"status", status}});
    }
  }
  // One lost reply is no news.
  if (!unreached || failures_ > 1) parts_.status.SetQueue(status);
  parts_.patience.sleep(Backoff(failures_, Millis(100), Millis(2'000), parts_.patience.draw()));
}

Status Executor::TestIfDue(Taker& taker, ModelCache& models) {
  const std::optional<std::string> model = parts_.intake.DueTest();
  if (!model.has_value()) return OkStatus();
  taker.Settle();  // a test takes a while
  const SelfCheck::Outcome outcome =
      SelfCheck(parts_.store, models, parts_.own_units, config_.runner.stall).Run(*model);
  parts_.intake.Tested(*model, outcome.result);
  parts_.status.Resident(models.Resident());
  if (engine::IsDeviceLost(outcome.status)) {
    parts_.on_device_lost();
    return outcome.status;
  }
  if (outcome.status.ok()) {
    log::Info("the worker's test of itself came out, it takes jobs", {{"model", *model}});
  } else {
    log::Error("the worker's test of itself failed, it waits and tests again",
               {{"model", *model}, {"status", outcome.status}});
  }
  return OkStatus();
}

void Executor::LoadAsked(ModelCache& models) {
  std::vector<std::string> asked;
  {
    MutexLock lock(&mu_);
    asked.swap(asked_);
  }
  const Millis stall = UnitPace(config_.runner.stall).LoadStall();
  for (const std::string& name : asked) {
    const auto begin_part = [&] { parts_.own_units.Begin("the load of model " + name, stall); };
    begin_part();
    const auto model = models.Get(name, [&](std::string_view) { begin_part(); });
    parts_.own_units.End();
    if (!model.ok()) {
      log::Warn("preload failed", {{"model", name}, {"status", model.status()}});
    }
  }
  if (!asked.empty()) parts_.status.Resident(models.Resident());
}

bool Executor::HasAsked() const {
  MutexLock lock(&mu_);
  return !asked_.empty();
}

void Executor::Drain() {
  MutexLock lock(&mu_);
  if (!draining_) drain_began_ = parts_.patience.clock.Steady();
  draining_ = true;
}

void Executor::Preload(const std::string& model) {
  MutexLock lock(&mu_);
  if (asked_.size() < kMaxAsked) asked_.push_back(model);
}

bool Executor::draining() const {
  MutexLock lock(&mu_);
  return draining_;
}

bool Executor::MayLeave(const Taker& taker) const {
  MutexLock lock(&mu_);
  if (!draining_) return false;
  return !taker.MayHoldJob() || parts_.patience.clock.Steady() - drain_began_ >= kLongestFarewell;
}

}  // namespace phasor::worker
