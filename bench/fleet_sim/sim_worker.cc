#include "bench/fleet_sim/sim_worker.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "bench/fleet_sim/job_stamp.h"
#include "common/base/hash.h"

namespace phasor::bench {
namespace {

constexpr double kSigma = 0.4;
constexpr Millis kPauseAfterFailure{200};

SteadyTime Now() { return std::chrono::steady_clock::now(); }

SteadyTime After(SteadyTime time, double seconds) {
  return time +
         std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

struct SimWorker::Drawing {
  SteadyTime begin;
  double unit_seconds = 0;
  int units = 0;  // done
  SteadyTime renewal_due;
  SteadyTime checkpoint_due;
  std::string checkpoint;
  int checkpoint_step = 0;
};

SimWorker::SimWorker(const FleetLoad& load, const queue::RedisOptions& options, int number,
                     queue::EventChannel& gateway, std::function<double()> mean, Tally& tally)
    : load_(load),
      name_("worker-" + std::to_string(number)),
      queue_(options),
      foundation_(options, [this] { return queue_.connections(); }),
      gateway_(gateway),
      mean_(std::move(mean)),
      tally_(tally),
      random_(static_cast<uint64_t>(number)) {}

queue::TakeRequest SimWorker::NextTake() {
  if (nonce_.empty()) nonce_ = RandomToken();
  queue::TakeRequest take;
  take.worker = name_;
  take.node = "node-" + name_;
  take.nonce = nonce_;
  for (int n = 0; n < load_.models; ++n) take.models.push_back(ModelName(n));
  take.lease = Millis(load_.lease_ms);
  return take;
}

Status SimWorker::TakeNext() {
  const queue::TakeRequest take = NextTake();
  const SteadyTime asked = Now();
  queue::NextJob next;
  const bool completes = held_.has_value();
  if (completes) {
    ASSIGN_OR_RETURN(next, queue_.CompleteAndTake({held_->fence, "jobs/result"}, take));
    if (next.completed != queue::OwnerAnswer::kOk) tally_.AddTrouble("a result was refused");
  } else {
    ASSIGN_OR_RETURN(next.grant, queue_.Take(take));
  }
  nonce_.clear();
  held_.reset();
  tally_.Add(!next.grant ? Sample::kEmptyTake
             : completes ? Sample::kNextTake
                         : Sample::kTake,
             asked);
  if (next.grant) {
    Took(*std::move(next.grant), asked);
  } else if (!idle_since_) {
    idle_since_ = Now();
  }
  return OkStatus();
}

void SimWorker::Took(queue::Grant grant, SteadyTime asked) {
  // Of a job that nobody could have taken at once the wait would be the queue's length.
  const SteadyTime submitted = ReadStamp(grant.spec);
  if (idle_since_ && submitted > *idle_since_) {
    tally_.Add(Sample::kReach, submitted);
  }
  if (Now() - asked > Millis(load_.lease_ms) / 2) tally_.AddTrouble("a grant came late");
  idle_since_.reset();
  held_ = std::move(grant);
}

void SimWorker::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (held_) Draw(stop);
    if (stop.stop_requested()) return;
    if (const Status taken = TakeNext(); !taken.ok()) {
      tally_.AddTrouble("take: " + Message(taken));
      SleepUntil(stop, Now() + kPauseAfterFailure);
    } else if (held_) {
      idle_.Worked();
    } else {
      queue_.WaitForWork(WaitMillis());
    }
  }
}

Millis SimWorker::WaitMillis() {
  if (load_.poll_ms > 0) return Millis(load_.poll_ms);
  return idle_.Wait(std::uniform_real_distribution<double>()(random_));
}

double SimWorker::DrawSeconds() {
  std::lognormal_distribution<double> seconds(std::log(mean_()) - kSigma * kSigma / 2, kSigma);
  return seconds(random_);
}

void SimWorker::Draw(const std::stop_token& stop) {
  Drawing drawing;
  drawing.begin = drawing.renewal_due = Now();
  drawing.unit_seconds = DrawSeconds() / load_.steps;
  drawing.checkpoint_due = After(drawing.begin, load_.checkpoint_every);
  Tell(drawing);
  while (drawing.units < load_.steps) {
    const SteadyTime unit_ends = After(drawing.begin, drawing.unit_seconds * (drawing.units + 1));
    if (drawing.renewal_due <= unit_ends) {
      if (!SleepUntil(stop, drawing.renewal_due)) return;
      Renew(drawing);
      continue;
    }
    if (!SleepUntil(stop, unit_ends)) return;
    ++drawing.units;
    Tell(drawing);
    if (load_.checkpoint_every <= 0 || unit_ends < drawing.checkpoint_due) continue;
    drawing.checkpoint_step = drawing.units;
    drawing.checkpoint = "jobs/" + held_->fence.id + "/c" + std::to_string(drawing.units);
    drawing.checkpoint_due = After(unit_ends, load_.checkpoint_every);
    drawing.renewal_due = Now();  // as LeaseRenewer::RenewSoon
  }
  tally_.Add(Sample::kWork, drawing.begin);
}

void SimWorker::Renew(Drawing& drawing) {
  queue::RenewRequest request;
  request.fence = held_->fence;
  request.lease = Millis(load_.lease_ms);
  request.phase = queue::Phase::kDenoising;
  request.units = request.step = drawing.units;
  request.checkpoint = drawing.checkpoint;
  request.checkpoint_step = drawing.checkpoint_step;
  const SteadyTime begin = Now();
  const auto answer = queue_.Renew(request);
  tally_.Add(Sample::kRenew, begin);
  drawing.renewal_due = begin + Millis(load_.lease_ms) * 4 / 15;
  if (!answer.ok()) {
    tally_.AddTrouble("renew: " + Message(answer.status()));
    drawing.renewal_due = begin + Millis(500);
  } else if (*answer != queue::OwnerAnswer::kOk) {
    tally_.AddTrouble("a lease was not extended");
  }
}

void SimWorker::Tell(const Drawing& drawing) {
  queue::Event event;
  event.id = held_->fence.id;
  event.epoch = held_->fence.epoch;
  event.state = queue::State::kLeased;
  event.phase = queue::Phase::kDenoising;
  event.step = drawing.units;
  event.steps = load_.steps;
  event.seconds_left = drawing.unit_seconds * (load_.steps - drawing.units);
  event.worker = name_;
  const SteadyTime begin = Now();
  if (!gateway_.Publish(event).ok()) tally_.AddTrouble("progress was lost");
  tally_.Add(Sample::kPublish, begin);
}

}  // namespace phasor::bench
