#include "services/worker/run/job_runner.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "common/base/hash.h"
#include "common/log/log.h"
#include "common/rpc/result_convert.h"
#include "common/rpc/spec_convert.h"
#include "engine/api/device_lost.h"
#include "services/worker/run/encode_pictures.h"

namespace phasor::worker {
namespace {

constexpr size_t kMaxReason = 1000;      // bytes of a failure's sentence
constexpr Millis kEncodeStall{120'000};  // for the PNGs
constexpr Millis kLastWords{3'000};      // to report a failure once the device is lost

std::string Sentence(const Status& status) { return Message(status).substr(0, kMaxReason); }

// The same wherever the same thing fails with the same words, which name the phase.
std::string FaultOf(job::ErrorClass error, const Status& status) {
  if (!job::MayBeTheJobs(error)) return "";
  return std::string(ToString(error)) + "-" + Sha256Hex(Message(status)).substr(0, 16);
}

}  // namespace

// What is known of the job that runs now.
struct JobRunner::Ongoing {
  Ongoing(const queue::Grant& the_grant, std::shared_ptr<RunningJob> the_running,
          const RunnerParts& parts, engine::CheckpointPace& pace)
      : grant(the_grant),
        running(std::move(the_running)),
        calls(parts.patience, parts.metrics, *running),
        checkpoints(parts.store, parts.patience, parts.metrics, pace, *running, calls) {}

  const queue::Grant& grant;
  std::shared_ptr<RunningJob> running;
  StoreCalls calls;
  Checkpoints checkpoints;
  job::GenerateSpec spec;
  bool record_unread = false;       // no gateway has asked for a record of its key
  std::string request_fingerprint;  // goes into the record, to tell repeats from conflicts
  UnitPace::Shape shape;
  std::unique_ptr<engine::Run> run;
  std::optional<ProgressReporter> reporter;
  int steps_done = 0;
  int64_t started_ms = 0;                 // wall clock
  std::map<std::string, double> seconds;  // by phase
  std::optional<queue::Completion> completion;
};

JobRunner::JobRunner(RunnerParts parts, RunnerConfig config)
    : parts_(std::move(parts)),
      config_(std::move(config)),
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
  return {.failed = ending.error()};
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

  auto run = (*model)->Start(job.spec.picture);
  if (!run.ok()) return {.status = run.status(), .source = FailureSource::kRequest};
  job.run = *std::move(run);
  job.checkpoints.Resume(job.grant, *job.run, [&] { return Stop(job) == StopReason::kNone; });
  job.steps_done = job.run->Report().resumed_from_step;
  if (Ending ending = Advance(job, *job.run); !ending.status.ok()) return ending;
  return Publish(job, *job.run, (*model)->info());
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
  if (const Status status = run.Advance(); !status.ok()) {
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

JobRunner::Ending JobRunner::Publish(Ongoing& job, const engine::Run& run,
                                     const engine::ModelInfo& model) {
  using job::FailureSource;
  const Clock& clock = parts_.patience.clock;
  const SteadyTime begin = clock.Steady();
  job.running->BeginUnit(queue::Phase::kPublishing, kEncodeStall);
  const auto pictures = EncodePictures(run, job.spec.picture, model);
  if (!pictures.ok()) return {.status = pictures.status()};
  job.running->EndUnit(job.spec.picture.steps);
  const engine::RunReport report = run.Report();

  v1::Result result;
  for (const char* phase : {"queue", "load", "encode", "denoise", "decode"}) {
    v1::PhaseTiming* timing = result.add_timings();
    timing->set_phase(phase);
    timing->set_seconds(job.seconds[phase]);
  }
  result.set_attempts(job.grant.tries + job.grant.crashes + 1);
  result.set_resumed_from_step(report.resumed_from_step);
  result.set_worker(config_.worker);
  result.set_scheduler(report.scheduler);
  result.set_fingerprint(report.fingerprint);
  for (const std::string& warning : report.warnings) result.add_warnings(warning);
  const storage::TerminalRecord record{
      .id = job.grant.fence.id,
      .state = job::State::kDone,
      .reason = "",
      .code = "",
      .epoch = job.grant.fence.epoch,
      .nonce = job.grant.fence.nonce,
      .worker = config_.worker,
      .tenant = job.grant.tenant,
      .model = job.grant.model,
      .accepted_ms = job.grant.enqueued_ms,
      .started_ms = job.started_ms,
      .finished_ms = clock.WallMillis(),
      .images = {},
      .details = rpc::EncodeDetails(result, job.request_fingerprint),
      .later_fields = ""};
  const auto standing = publisher_.Publish(*job.running, job.calls, *pictures, record);
  if (standing.status().code() == StatusCode::kAborted) {
    const StopReason stop = job.running->Stop(clock.Steady());
    return {.status = standing.status(),
            .stop = stop == StopReason::kDrained ? stop : std::max(stop, StopReason::kLeaseLost)};
  }
  if (!standing.ok()) return {.status = standing.status(), .source = FailureSource::kStore};
  job.completion = publisher_.Settle(job.grant.fence, *standing);
  parts_.metrics.Phase(job.grant.model, "publish", SecondsBetween(begin, clock.Steady()));
  parts_.metrics.PicturesMade(job.grant.model, job.grant.priority, SinceSubmit(job.grant),
                              job::Cost(job.spec.picture));
  return {.status = OkStatus()};
}

StatusOr<bool> JobRunner::SettleOld(Ongoing& job) {
  // Nobody had it before, and a gateway has asked for a record of its key, or it has none.
  if (job.grant.fence.epoch <= 1 && !job.record_unread) return false;
  const auto record = job.calls.Ask([&] { return parts_.store.ReadTerminal(job.grant.fence.id); },
                                    [&] { return Stop(job) == StopReason::kNone; });
  if (record.status().code() == StatusCode::kUnavailable) return record.status();
  if (!record.ok()) return false;
  log::Info("the job had ended already", {{"job_id", record->id}, {"by", record->worker}});
  job.completion = publisher_.Settle(job.grant.fence, *record);
  return true;
}

std::string JobRunner::Finish(Ongoing& job, const Ending& ending) {
  if (ending.status.ok()) {
    job.checkpoints.Discard();
    return "DONE";
  }
  if (ending.stop == StopReason::kNone) {
    const std::string state = Fail(job, ending);
    if (state == "FAILED") job.checkpoints.Discard();
    return state;
  }
  parts_.metrics.Stopped(ending.stop);
  log::Info("job stopped", {{"job_id", job.grant.fence.id}, {"why", ToString(ending.stop)}});
  if (ending.stop == StopReason::kCanceled) job.checkpoints.Discard();
  if (!IsOwned(ending.stop)) return "DROPPED";
  GiveBack(job);
  return "RELEASED";
}

void JobRunner::GiveBack(Ongoing& job) {
  job.running->BeginCall(kStoreStall);
  if (job.run != nullptr) job.checkpoints.Save(*job.run, job.steps_done);
  const SteadyTime end = parts_.patience.clock.Steady() + config_.lease;
  const auto answer = parts_.patience.Until(end, [&] {
    return parts_.queue.Release(job.grant.fence, job.checkpoints.newest(),
                                job.checkpoints.newest_step());
  });
  if (!answer.ok()) {
    log::Warn("job not given back; its lease will run out",
              {{"job_id", job.grant.fence.id}, {"status", answer.status()}});
  }
}

std::string JobRunner::Fail(Ongoing& job, const Ending& ending) {
  const job::ErrorClass error = ending.error();
  const job::Verdict verdict = job::Judge({.error = error,
                                           .tries = job.grant.tries,
                                           .crashes = job.grant.crashes,
                                           .allow_degradation = job.spec.allow_degradation},
                                          parts_.patience.draw());
  const job::Relief relief = job::Given(verdict.relief);
  const std::string code = absl::StatusCodeToString(ending.status.code());
  log::Warn("job failed", {{"job_id", job.grant.fence.id},
                           {"status", ending.status},
                           {"class", ToString(error)},
                           {"retry", verdict.retry},
                           {"delay_ms", verdict.delay.count()},
                           {"relief", ToString(relief)}});
  parts_.metrics.Failed(error);
  if (relief != job::Relief::kNone) parts_.metrics.Relieved(verdict.relief, relief);
  job.running->BeginCall(kStoreStall);
  const SteadyTime end =
      parts_.patience.clock.Steady() +
      (verdict.worker_lost ? std::min(kLastWords, config_.lease) : config_.lease);
  if (verdict.worker_lost) {
    parts_.on_device_lost();  // nothing can be saved any more: the last checkpoint stands
  } else if (verdict.retry) {
    Prepare(job, relief);
  }
  const queue::Failure failure{.fence = job.grant.fence,
                               .retryable = verdict.retry,
                               .delay = verdict.delay,
                               .worker_lost = verdict.worker_lost,
                               .reason = Sentence(ending.status),
                               .code = code,
                               .fault = FaultOf(error, ending.status)};
  const auto answer = parts_.patience.Until(end, [&] { return parts_.queue.Fail(failure); });
  if (!answer.ok()) {
    log::Warn("failure not reported; the lease will run out",
              {{"job_id", job.grant.fence.id}, {"status", answer.status()}});
  }
  // Whether the tries are spent is the queue's to say.
  const bool sealed = answer.ok() && *answer == queue::FailOutcome::kSealed;
  if (!verdict.retry || sealed) return "FAILED";
  parts_.metrics.Retried(code);
  return "RETRY_PENDING";
}

// What makes the next try better, before it is asked for.
void JobRunner::Prepare(Ongoing& job, job::Relief relief) {
  if (relief != job::Relief::kNone) parts_.models.KeepOnly(job.grant.model);
  // The state before the unit that failed is worth keeping: the next try redoes only that.
  if (job.run != nullptr && job.checkpoints.Save(*job.run, job.steps_done)) {
    parts_.lease.RenewSoon();
    parts_.lease.Tick();
  }
}

}  // namespace phasor::worker
