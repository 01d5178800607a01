#include "services/worker/executor.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "engine/api/device_lost.h"

namespace phasor::worker {
namespace {

constexpr size_t kMaxAsked = 16;
constexpr Millis kNap{200};   // while no job is to be taken
constexpr Millis kWait{500};  // for a hint that work arrived; also how fast a drain is seen
// How long a draining worker asks whether its last take got it a job.
constexpr Millis kLongestFarewell{3'000};

// Resident models first, then the other ones.
std::vector<std::string> WarmFirst(std::vector<std::string> resident,
                                   const std::vector<config::ModelCard>& all) {
  for (const config::ModelCard& card : all) {
    if (std::find(resident.begin(), resident.end(), card.name) == resident.end()) {
      resident.push_back(card.name);
    }
  }
  return resident;
}

}  // namespace

Executor::Executor(Parts parts, ExecutorConfig config)
    : parts_(std::move(parts)), config_(std::move(config)) {
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
    if (!taker.MayHoldJob() && !IntakeIsOpen()) {
      taker.Settle();
      parts_.patience.sleep(kNap);
      continue;
    }
    ASSIGN_OR_RETURN(const bool worked, Tick(taker, models, runner));
    if (!worked && !draining()) parts_.queue.WaitForWork(kWait);
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
  const auto taken = taker.Take(WarmFirst(models.Resident(), config_.models));
  if (!taken.ok()) {
    if (failures_++ == 0) log::Warn("the queue is not reached", {{"status", taken.status()}});
    parts_.patience.sleep(Backoff(failures_, Millis(100), Millis(2'000), parts_.patience.draw()));
    return true;
  }
  if (failures_ > 0) log::Info("the queue is reached again");
  failures_ = 0;
  if (!taken->has_value()) return false;
  const std::string& id = (*taken)->grant.fence.id;
  parts_.status.Busy(id);
  const JobEnd end = runner.Run((*taken)->grant, (*taken)->sent);
  if (end.completion) taker.Owe(*end.completion);
  parts_.intake.JobEnded(id, end.came_out, end.failed);
  parts_.status.Idle();
  parts_.status.Resident(models.Resident());
  if (end.failed == job::ErrorClass::kDeviceLost) return engine::DeviceLost("the device is lost");
  return true;
}

void Executor::LoadAsked(ModelCache& models) {
  std::vector<std::string> asked;
  {
    MutexLock lock(&mu_);
    asked.swap(asked_);
  }
  for (const std::string& name : asked) {
    if (const auto model = models.Get(name); !model.ok()) {
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
