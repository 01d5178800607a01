#include <algorithm>
#include <utility>

#include "common/base/hash.h"
#include "common/log/log.h"
#include "common/rpc/result_convert.h"
#include "services/worker/run/job_runner.h"
#include "services/worker/run/ongoing.h"
#include "services/worker/run/result_of.h"

// How a job ends: published, given back, or failed.
namespace phasor::worker {
namespace {

constexpr size_t kMaxReason = 1000;  // bytes of a failure's sentence
constexpr Millis kLastWords{3'000};  // to report a failure once the device is lost

std::string Sentence(const Status& status) { return Message(status).substr(0, kMaxReason); }

// The same wherever the same thing fails with the same words, which name the phase.
std::string FaultOf(job::ErrorClass error, const Status& status) {
  if (!job::MayBeTheJobs(error)) return "";
  return std::string(ToString(error)) + "-" + Sha256Hex(Message(status)).substr(0, 16);
}

}  // namespace

JobRunner::Ending JobRunner::Publish(Ongoing& job, const engine::RunReport& report,
                                     const std::vector<Picture>& pictures, bool from_cache) {
  using job::FailureSource;
  const Clock& clock = parts_.patience.clock;
  const SteadyTime begin = clock.Steady();
  const v1::Result result = ResultOf(report, {.grant = job.grant,
                                              .seconds = job.seconds,
                                              .earlier = job.degradations,
                                              .worker = config_.worker,
                                              .from_cache = from_cache});
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
      .details = rpc::EncodeDetails(result, job.asked->fingerprint),
      .later_fields = ""};
  const auto standing = publisher_.Publish(*job.running, job.calls, pictures, record);
  if (standing.status().code() == StatusCode::kAborted) {
    const StopReason stop = job.running->Stop(clock.Steady());
    return {.status = standing.status(),
            .stop = stop == StopReason::kDrained ? stop : std::max(stop, StopReason::kLeaseLost)};
  }
  if (!standing.ok()) return {.status = standing.status(), .source = FailureSource::kStore};
  job.completion = publisher_.Settle(job.grant.fence, *standing);
  parts_.metrics.Phase(job.grant.model, "publish", Timed(job, "publish", begin));
  parts_.metrics.PicturesMade(job.grant.model, job.grant.priority, SinceSubmit(job.grant),
                              job::Cost(job.spec.picture));
  return {.status = OkStatus()};
}

void JobRunner::Trace(Ongoing& job, const std::string& state) const {
  trace::Span span;
  if (state == "FAILED" || state == "RETRY_PENDING") span.error = Sentence(job.end->status);
  span.attributes = {{"phasor.job_id", job.grant.fence.id},
                     {"phasor.model", job.grant.model},
                     {"phasor.worker", config_.worker},
                     {"phasor.state", state},
                     {"phasor.epoch", static_cast<int64_t>(job.grant.fence.epoch)},
                     {"phasor.tries", static_cast<int64_t>(job.grant.tries)},
                     {"phasor.steps_done", static_cast<int64_t>(job.steps_done)},
                     {"phasor.width", static_cast<int64_t>(job.spec.picture.width)},
                     {"phasor.height", static_cast<int64_t>(job.spec.picture.height)},
                     {"phasor.images", static_cast<int64_t>(job.spec.picture.images)}};
  job.trace.End(parts_.patience.clock.Steady(), std::move(span));
}

StatusOr<bool> JobRunner::SettleOld(Ongoing& job) {
  // Nobody had it before, and a gateway has asked for a record of its key, or it has none.
  const bool first = job.grant.fence.epoch <= 1;
  if (first && !(job.asked.ok() && job.asked->record_unread)) return false;
  // For a first owner a record is unlikely and drawing again harmless: whoever publishes finds it.
  // It does not wait for a store that is away, which may be so on this node alone.
  const auto record = job.calls.Ask([&] { return parts_.store.ReadTerminal(job.grant.fence.id); },
                                    [&] { return !first && Stop(job) == StopReason::kNone; });
  if (!first && record.status().code() == StatusCode::kUnavailable) return record.status();
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
  if (job.run != nullptr && job.may_save) job.checkpoints.Save(*job.run, job.steps_done);
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
  const job::Relief relief = verdict.relief;
  job.retry_in = verdict.delay;
  const std::string code = absl::StatusCodeToString(ending.status.code());
  log::Warn("job failed", {{"job_id", job.grant.fence.id},
                           {"status", ending.status},
                           {"class", ToString(error)},
                           {"retry", verdict.retry},
                           {"delay_ms", verdict.delay.count()},
                           {"relief", ToString(relief)}});
  parts_.metrics.Failed(error);
  Record(job, ending);
  if (relief != job::Relief::kNone) parts_.metrics.Relieved(relief, relief);
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

void JobRunner::Record(const Ongoing& job, const Ending& ending) const {
  debug_.Write({.job = job.grant.fence.id,
                .worker = config_.worker,
                .failure_class = std::string(ToString(ending.error())),
                .status = ending.status,
                .tries = job.grant.tries,
                .crashes = job.grant.crashes,
                .now_ms = parts_.patience.clock.WallMillis(),
                .spec = job.spec.model.empty() ? nullptr : &job.spec,
                .report = job.run == nullptr ? engine::RunReport{} : job.run->Report(),
                .device = parts_.engine.ReportDevice(),
                .versions = parts_.engine.Versions()});
}

}  // namespace phasor::worker
