#include "services/worker/run/job_runner.h"

#include <algorithm>
#include <utility>

#include "common/log/log.h"
#include "common/rpc/spec_convert.h"
#include "engine/api/device_lost.h"
#include "services/worker/run/encode_pictures.h"
#include "services/worker/run/ongoing.h"

namespace phasor::worker {
namespace {

constexpr Millis kEncodeStall{120'000};  // for the PNGs
constexpr int kSmallestSide = 64;        // pixels, of a picture that got smaller

}  // namespace

JobRunner::JobRunner(RunnerParts parts, RunnerConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
      debug_(config_.debug),
      publisher_(parts_.queue, parts_.store, parts_.lease, parts_.patience, config_.lease),
      pace_(config_.stall),
      checkpoint_pace_({.share = config_.checkpoint_share}) {}

job::ErrorClass JobRunner::Ending::error() const {
  return job::ClassOf(status.code(), source, engine::IsDeviceLost(status));
}

JobEnd JobRunner::Run(const queue::Grant& grant, SteadyTime sent) {
  const Clock& clock = parts_.patience.clock;
  const SteadyTime begin = clock.Steady();
  auto running = std::make_shared<RunningJob>(grant.fence, OwnDeadline(sent, grant.lease));
  Ongoing job(grant, running, parts_, checkpoint_pace_);
  job.started_ms = clock.WallMillis();
  job.seconds["queue"] = SinceSubmit(grant);
  log::Info("job taken", {{"job_id", grant.fence.id},
                          {"model", grant.model},
                          {"epoch", grant.fence.epoch},
                          {"tries", grant.tries},
                          {"crashes", grant.crashes}});
  parts_.metrics.JobBegan();
  if (grant.fence.epoch <= 1) {
    parts_.metrics.JobWaited(grant.model, grant.priority, job.seconds["queue"]);
  }
  parts_.lease.Begin(running);
  // Asked for long ago: the queue stalled, and what it granted may be over before the next renewal.
  if (begin - sent >= grant.lease / 2) parts_.lease.Confirm(*running, parts_.patience);
  const Ending ending = Execute(job);
  const std::string state = Finish(job, ending);
  parts_.lease.End();
  const double seconds = SecondsBetween(begin, clock.Steady());
  parts_.metrics.JobEnded(grant.model, state, seconds);
  log::Info("job left", {{"job_id", grant.fence.id}, {"state", state}, {"seconds", seconds}});
  if (ending.status.ok()) return {.came_out = job.run != nullptr, .completion = job.completion};
  if (ending.stop != StopReason::kNone) return {};
  return {.failed = ending.error(), .retry_in = job.retry_in};
}

double JobRunner::SinceSubmit(const queue::Grant& grant) const {
  const int64_t millis = parts_.patience.clock.WallMillis() - grant.enqueued_ms;
  return std::max(0.0, static_cast<double>(millis) / 1000);
}

JobRunner::Ending JobRunner::Execute(Ongoing& job) {
  using job::FailureSource;
  const StopReason stop = Stop(job);
  if (stop != StopReason::kNone) return {.status = Cancelled(ToString(stop)), .stop = stop};
  const auto spec = rpc::DecodeJobSpec(job.grant.spec);
  job.record_unread = spec.ok() && spec->record_unread;
  const StatusOr<bool> ended = SettleOld(job);
  if (!ended.ok()) return {.status = ended.status(), .stop = Stop(job)};
  if (*ended) return {.status = OkStatus()};
  if (!spec.ok()) return {.status = spec.status(), .source = FailureSource::kRequest};
  job.spec = spec->spec;
  job.request_fingerprint = spec->fingerprint;
  job.shape = {job.grant.model, int64_t{job.spec.picture.width} * job.spec.picture.height *
                                    std::max(1, job.spec.picture.images)};
  job.reporter.emplace(job.running->fence(), parts_.progress, pace_,
                       ProgressReporter::Options{.shape = job.shape,
                                                 .steps = job.spec.picture.steps,
                                                 .images = job.spec.picture.images,
                                                 .preview_every = job.spec.preview_every});
  job.reporter->Phase(queue::Phase::kInitializing);
  const auto model = Load(job);
  if (!model.ok()) return {.status = model.status(), .source = FailureSource::kModel};

  return Draw(job, **model);
}

JobRunner::Ending JobRunner::Draw(Ongoing& job, engine::Model& model) {
  for (;;) {
    Ending ending = DrawOnce(job, model);
    parts_.memory.AfterRun();
    if (ending.status.ok() || !GoSmaller(job, ending, model.info())) return ending;
  }
}

JobRunner::Ending JobRunner::DrawOnce(Ongoing& job, engine::Model& model) {
  auto run = Start(job, model);
  if (!run.ok()) return {.status = run.status(), .source = job::FailureSource::kRequest};
  job.run = *std::move(run);
  const std::string fingerprint = job.run->Report().fingerprint;
  if (const auto* stored = parts_.results.Find(fingerprint)) {
    return Publish(job, job.run->Report(), *stored, /*from_cache=*/true);
  }
  if (job.degradations.empty()) {
    job.checkpoints.Resume(job.grant, *job.run, [&] { return Stop(job) == StopReason::kNone; });
  }
  job.steps_done = job.run->Report().resumed_from_step;
  if (Ending ending = Advance(job, *job.run); !ending.status.ok()) return ending;
  return Encode(job, *job.run, model.info());
}

StatusOr<std::unique_ptr<engine::Run>> JobRunner::Start(Ongoing& job, engine::Model& model) {
  const std::string& name = job.grant.model;
  parts_.memory.BeforeRun(name, model, job.spec.picture, job.spec.strategy);
  return model.Start(job.spec.picture, {.strategy = job.spec.strategy, .make_room = [this, name] {
                                          return parts_.memory.MakeRoom(name);
                                        }});
}

bool JobRunner::GoSmaller(Ongoing& job, const Ending& ending, const engine::ModelInfo& model) {
  const bool memory = ending.stop == StopReason::kNone && job.run != nullptr &&
                      ending.error() == job::ErrorClass::kOutOfMemory;
  const bool due = job.grant.tries + 1 >= job::FailureFacts{}.max_tries;
  if (!memory || !due || !job.spec.allow_degradation) return false;
  const auto smaller = [&](int side) {
    return side * 3 / 4 / model.size_multiple * model.size_multiple;
  };
  PictureSpec& picture = job.spec.picture;
  if (std::min(smaller(picture.width), smaller(picture.height)) < kSmallestSide) return false;
  const engine::RunReport report = job.run->Report();
  job.degradations.insert(job.degradations.end(), report.degradations.begin(),
                          report.degradations.end());
  const engine::Unit unit = job.run->Next();
  picture.width = smaller(picture.width);
  picture.height = smaller(picture.height);
  job.degradations.push_back(
      {unit.kind, unit.index,
       "resolution " + std::to_string(picture.width) + "x" + std::to_string(picture.height),
       Message(ending.status), unit.predicted_peak_bytes, 0});
  log::Warn("the picture gets smaller",
            {{"job_id", job.grant.fence.id}, {"width", picture.width}, {"height", picture.height}});
  return true;
}

// Each part is a unit: a load that takes long is told from one that hangs.
StatusOr<std::shared_ptr<engine::Model>> JobRunner::Load(Ongoing& job) {
  const SteadyTime begin = parts_.patience.clock.Steady();
  const auto begin_part = [&] {
    job.running->BeginUnit(queue::Phase::kInitializing, pace_.LoadStall());
  };
  begin_part();
  auto model = parts_.models.Get(job.grant.model, [&](std::string_view) {
    job.running->EndUnit(0);
    begin_part();
  });
  job.seconds["load"] = SecondsBetween(begin, parts_.patience.clock.Steady());
  job.running->EndUnit(0);
  return model;
}

StopReason JobRunner::Stop(Ongoing& job) {
  return parts_.lease.Stop(*job.running, parts_.patience);
}

JobRunner::Ending JobRunner::Advance(Ongoing& job, engine::Run& run) {
  while (run.Next().kind != engine::UnitKind::kDone) {
    const StopReason stop = Stop(job);
    // To make room a run that has begun to decode had better finish: it can't be saved any more.
    const bool nearly_done =
        stop == StopReason::kPreempted && run.Next().kind == engine::UnitKind::kDecode;
    if (stop != StopReason::kNone && !nearly_done) {
      return {.status = Cancelled(ToString(stop)), .stop = stop};
    }
    if (Ending ending = Unit(job, run); !ending.status.ok()) return ending;
  }
  for (const auto& [phase, seconds] : job.seconds) {
    parts_.metrics.Phase(job.grant.model, phase, seconds);
  }
  return {.status = OkStatus()};
}

JobRunner::Ending JobRunner::Unit(Ongoing& job, engine::Run& run) {
  const engine::Unit unit = run.Next();
  job.reporter->BeforeUnit(unit);
  job.running->BeginUnit(PhaseOf(unit.kind), pace_.Stall(job.shape, unit));
  const SteadyTime begin = parts_.patience.clock.Steady();
  const Status status = run.Advance();
  parts_.memory.AfterUnit(job.grant.model, run);
  if (!status.ok()) {
    if (status.code() == StatusCode::kResourceExhausted) parts_.memory.Failed(unit.kind);
    return {.status = Annotate(status, std::string(ToString(unit.kind)) + " failed")};
  }
  const double seconds = SecondsBetween(begin, parts_.patience.clock.Steady());
  job.seconds[std::string(ToString(unit.kind))] += seconds;
  pace_.Note(job.shape, unit.kind, seconds);
  if (unit.kind == engine::UnitKind::kStep) {
    job.steps_done = unit.index + 1;
    parts_.metrics.Step(job.grant.model, seconds);
  }
  job.running->EndUnit(std::min(job.steps_done, job.spec.picture.steps));
  if (unit.kind == engine::UnitKind::kStep) {
    if (job.checkpoints.AfterStep(run, job.steps_done, seconds)) parts_.lease.RenewSoon();
    job.reporter->AfterStep(run, job.steps_done);
  }
  return {.status = OkStatus()};
}

JobRunner::Ending JobRunner::Encode(Ongoing& job, const engine::Run& run,
                                    const engine::ModelInfo& model) {
  job.running->BeginUnit(queue::Phase::kPublishing, kEncodeStall);
  const auto pictures = EncodePictures(run, job.spec.picture, model);
  if (!pictures.ok()) return {.status = pictures.status()};
  job.running->EndUnit(job.spec.picture.steps);
  const engine::RunReport report = run.Report();
  parts_.results.Put(report.fingerprint, *pictures);
  return Publish(job, report, *pictures, /*from_cache=*/false);
}

}  // namespace phasor::worker
