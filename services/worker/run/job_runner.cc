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

void JobRunner::Drop::operator()(Ongoing* job) const { delete job; }

JobRunner::Held JobRunner::Begin(const queue::Grant& grant, SteadyTime sent) {
  const Clock& clock = parts_.patience.clock;
  auto running = std::make_shared<RunningJob>(grant.fence, OwnDeadline(sent, grant.lease), pulse_);
  Held job(new Ongoing(grant, running, parts_, checkpoint_pace_));
  const log::Scope traced("trace_id", job->trace.trace_id());
  job->started_ms = clock.WallMillis();
  job->seconds["queue"] = SinceSubmit(grant);
  log::Info("job taken", {{"job_id", grant.fence.id},
                          {"model", grant.model},
                          {"epoch", grant.fence.epoch},
                          {"tries", grant.tries},
                          {"crashes", grant.crashes}});
  parts_.metrics.JobBegan();
  if (grant.fence.epoch <= 1) {
    parts_.metrics.JobWaited(grant.model, grant.priority, job->seconds["queue"]);
    job->trace.Waited(Millis(static_cast<int64_t>(1000 * job->seconds["queue"])));
  }
  parts_.lease.Begin(running);
  // Asked for long ago: the queue stalled, and what it granted may be over before the next renewal.
  if (job->began - sent >= grant.lease / 2) {
    running->BeginCall(2 * config_.lease);
    parts_.lease.Confirm(*running, parts_.patience);
    running->EndCall();
  }
  job->end = Open(*job);
  return job;
}

JobEnd JobRunner::End(Held job) {
  const log::Scope traced("trace_id", job->trace.trace_id());
  const queue::Grant& grant = job->grant;
  const Ending& ending = *job->end;
  const std::string state = Finish(*job, ending);
  parts_.lease.End(*job->running);
  const double seconds = SecondsBetween(job->began, parts_.patience.clock.Steady());
  parts_.metrics.JobEnded(grant.model, state, seconds);
  log::Info("job left", {{"job_id", grant.fence.id}, {"state", state}, {"seconds", seconds}});
  Trace(*job, state);
  if (ending.status.ok()) return {.came_out = job->run != nullptr, .completion = job->completion};
  if (ending.stop != StopReason::kNone) return {};
  return {.failed = ending.error(), .retry_in = job->retry_in};
}

JobEnd JobRunner::Run(const queue::Grant& grant, SteadyTime sent) {
  Held job = Begin(grant, sent);
  while (!job->end) Advance(*job);
  return End(std::move(job));
}

HeldView JobRunner::Look(const Ongoing& job) const {
  HeldView view{.over = job.end.has_value(),
                .stop = job.running->Stop(parts_.patience.clock.Steady()),
                .priority = job.grant.priority};
  if (view.over) return view;
  const engine::Unit next = job.run->Next();
  view.next = next.kind;
  view.swaps = job.run->SwapsBetweenPhases();
  view.seconds_left =
      pace_.RunSeconds(job.shape, next, job.spec.picture.steps, job.spec.picture.images);
  return view;
}

double JobRunner::SinceSubmit(const queue::Grant& grant) const {
  const int64_t millis = parts_.patience.clock.WallMillis() - grant.enqueued_ms;
  return std::max(0.0, static_cast<double>(millis) / 1000);
}

std::optional<JobRunner::Ending> JobRunner::Open(Ongoing& job) {
  using job::FailureSource;
  const StopReason stop = Stop(job);
  if (stop != StopReason::kNone) return Ending{.status = Cancelled(ToString(stop)), .stop = stop};
  const StatusOr<rpc::JobSpec>& spec = job.asked;
  const StatusOr<bool> ended = SettleOld(job);
  if (!ended.ok()) return Ending{.status = ended.status(), .stop = Stop(job)};
  if (*ended) return Ending{.status = OkStatus()};
  if (!spec.ok()) return Ending{.status = spec.status(), .source = FailureSource::kRequest};
  job.spec = spec->spec;
  job.shape = {job.grant.model, int64_t{job.spec.picture.width} * job.spec.picture.height *
                                    std::max(1, job.spec.picture.images)};
  job.reporter.emplace(job.running->fence(), parts_.progress, pace_,
                       ProgressReporter::Options{.shape = job.shape,
                                                 .steps = job.spec.picture.steps,
                                                 .images = job.spec.picture.images,
                                                 .preview_every = job.spec.preview_every});
  job.reporter->Phase(queue::Phase::kInitializing);
  auto model = Load(job);
  if (!model.ok()) return Ending{.status = model.status(), .source = FailureSource::kModel};
  job.model = *std::move(model);
  return Start(job);
}

std::optional<JobRunner::Ending> JobRunner::Start(Ongoing& job) {
  const std::string& name = job.grant.model;
  parts_.memory.BeforeRun(name, *job.model, job.spec.picture, job.spec.strategy);
  job.told = 0;
  auto run = job.model->Start(job.spec.picture,
                              {.strategy = job.spec.strategy,
                               .make_room = [this, name] { return parts_.memory.MakeRoom(name); }});
  if (!run.ok()) {
    return Ending{.status = run.status(), .source = job::FailureSource::kRequest};
  }
  job.run = *std::move(run);
  const std::string fingerprint = job.run->Report().fingerprint;
  if (const auto* stored = parts_.results.Find(fingerprint)) {
    return Publish(job, job.run->Report(), *stored, /*from_cache=*/true);
  }
  if (job.degradations.empty()) {
    job.checkpoints.Resume(job.grant, *job.run, [&] { return Stop(job) == StopReason::kNone; });
  }
  job.steps_done = job.run->Report().resumed_from_step;
  return std::nullopt;
}

bool JobRunner::GoSmaller(Ongoing& job, const Ending& ending) {
  const bool memory = ending.stop == StopReason::kNone && job.run != nullptr &&
                      ending.error() == job::ErrorClass::kOutOfMemory;
  const bool due = job.grant.tries + 1 >= job::FailureFacts{}.max_tries;
  if (!memory || !due || !job.spec.allow_degradation) return false;
  const int multiple = job.model->info().size_multiple;
  const auto smaller = [multiple](int side) { return side * 3 / 4 / multiple * multiple; };
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
  Timed(job, "load", begin);
  job.running->EndUnit(0);
  return model;
}

StopReason JobRunner::Stop(Ongoing& job) {
  return parts_.lease.Stop(*job.running, parts_.patience);
}

void JobRunner::StopIfAsked(Ongoing& job) {
  if (job.end) return;
  const engine::UnitKind next = job.run->Next().kind;
  if (next == engine::UnitKind::kDone) return;  // whoever publishes asks
  const StopReason stop = Stop(job);
  // To make room a run that has begun to decode had better finish: it can't be saved any more.
  const bool nearly_done = stop == StopReason::kPreempted && next == engine::UnitKind::kDecode;
  if (stop == StopReason::kNone || nearly_done) return;
  job.end = {.status = Cancelled(ToString(stop)), .stop = stop};
}

void JobRunner::Abandon(Ongoing& job) {
  if (job.end) return;
  job.may_save = false;
  job.end = {.status = Cancelled("the worker ends"), .stop = StopReason::kDrained};
}

double JobRunner::Timed(Ongoing& job, const std::string& phase, SteadyTime begin) {
  const SteadyTime end = parts_.patience.clock.Steady();
  const double seconds = SecondsBetween(begin, end);
  job.seconds[phase] += seconds;
  job.trace.Part(phase, begin, end);
  return seconds;
}

void JobRunner::Advance(Ongoing& job) {
  const log::Scope traced("trace_id", job.trace.trace_id());
  StopIfAsked(job);
  if (job.end) return;
  if (job.run->Next().kind == engine::UnitKind::kDone) {
    for (const auto& [phase, seconds] : job.seconds) {
      parts_.metrics.Phase(job.grant.model, phase, seconds);
    }
    job.end = Encode(job);
    return;
  }
  const Ending ending = Unit(job, *job.run);
  if (ending.status.ok()) return;
  job.end = ending;
  if (GoSmaller(job, ending)) job.end = Start(job);
}

JobRunner::Ending JobRunner::Unit(Ongoing& job, engine::Run& run) {
  const engine::Unit unit = run.Next();
  job.reporter->BeforeUnit(unit);
  job.running->BeginUnit(PhaseOf(unit.kind), pace_.Stall(job.shape, unit));
  const SteadyTime begin = parts_.patience.clock.Steady();
  const Status status = run.Advance();
  parts_.memory.AfterUnit(job.grant.model, run, &job.told);
  if (!status.ok()) {
    if (status.code() == StatusCode::kResourceExhausted) parts_.memory.Failed(unit.kind);
    return {.status = Annotate(status, std::string(ToString(unit.kind)) + " failed")};
  }
  const double seconds = Timed(job, std::string(ToString(unit.kind)), begin);
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

JobRunner::Ending JobRunner::Encode(Ongoing& job) {
  job.running->BeginUnit(queue::Phase::kPublishing, kEncodeStall);
  const auto pictures = EncodePictures(*job.run, job.spec.picture, job.model->info());
  if (!pictures.ok()) return {.status = pictures.status()};
  job.running->EndUnit(job.spec.picture.steps);
  const engine::RunReport report = job.run->Report();
  parts_.results.Put(report.fingerprint, *pictures);
  return Publish(job, report, *pictures, /*from_cache=*/false);
}

}  // namespace phasor::worker
