#include "common/queue/request_checks.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

namespace phasor::queue {
namespace {

constexpr size_t kMaxName = 256;
constexpr size_t kMaxNonce = 64;
constexpr size_t kMaxSpec = 1 << 20;
constexpr size_t kMaxText = 4096;
constexpr int64_t kMaxCost = 1'000'000'000;
constexpr int64_t kMaxCap = 1'000'000'000;
constexpr int64_t kMaxWeight = 1000;
constexpr Millis kMaxSpan = std::chrono::hours(24 * 366);

Status CheckLength(const std::string& field, const std::string& value, size_t limit) {
  if (value.size() <= limit) return OkStatus();
  return InvalidArgument(field + " has " + std::to_string(value.size()) + " bytes; the limit is " +
                         std::to_string(limit));
}

Status CheckSpan(const std::string& field, Millis value, Millis least) {
  if (value >= least && value <= kMaxSpan) return OkStatus();
  return InvalidArgument(field + " is " + std::to_string(value.count()) + " ms; it must be from " +
                         std::to_string(least.count()) + " to " + std::to_string(kMaxSpan.count()));
}

// Of pixel-steps or bytes: the most is exact as a Lua number, too.
Status CheckQuota(const std::string& field, int64_t value) {
  if (value >= 0 && value <= kNoQuota) return OkStatus();
  return InvalidArgument(field + " is " + std::to_string(value) + "; it must be from 0 to " +
                         std::to_string(kNoQuota));
}

Status CheckCap(const std::string& field, int64_t value) {
  if (value >= 0 && value <= kMaxCap) return OkStatus();
  return InvalidArgument(field + " is " + std::to_string(value) + "; it must be from 0 to " +
                         std::to_string(kMaxCap));
}

Status CheckNonce(const std::string& nonce) {
  const bool plain = std::all_of(nonce.begin(), nonce.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  if (plain && !nonce.empty() && nonce.size() <= kMaxNonce) return OkStatus();
  return InvalidArgument("nonce must be 1 to 64 letters, digits, '-' or '_'");
}

}  // namespace

Status CheckId(const JobId& id) {
  if (job::IsValidJobId(id)) return OkStatus();
  return InvalidArgument("id is no job id: 32 characters of base32 are expected");
}

Status CheckFence(const Fence& fence) {
  RETURN_IF_ERROR(CheckId(fence.id));
  return CheckNonce(fence.nonce);
}

Status CheckSubmit(const SubmitRequest& request) {
  RETURN_IF_ERROR(CheckId(request.id));
  RETURN_IF_ERROR(CheckLength("model", request.model, kMaxName));
  RETURN_IF_ERROR(CheckLength("tenant", request.tenant, kMaxName));
  RETURN_IF_ERROR(CheckLength("fingerprint", request.fingerprint, kMaxName));
  RETURN_IF_ERROR(CheckLength("spec", request.spec, kMaxSpec));
  RETURN_IF_ERROR(CheckSpan("keep", request.keep, Millis(1)));
  if (request.model.empty()) return InvalidArgument("model is empty");
  if (request.deadline_ms < 0) return InvalidArgument("deadline_ms is negative");
  RETURN_IF_ERROR(CheckSpan("deadline_in", request.deadline_in, Millis(0)));
  if (request.deadline_ms > 0 && request.deadline_in.count() > 0) {
    return InvalidArgument("deadline_ms and deadline_in are both given");
  }
  if (request.cost < 1 || request.cost > kMaxCost) {
    return InvalidArgument("cost is " + std::to_string(request.cost) +
                           "; it must be from 1 to 1000000000");
  }
  return OkStatus();
}

Status CheckTake(const TakeRequest& request) {
  RETURN_IF_ERROR(CheckNonce(request.nonce));
  RETURN_IF_ERROR(CheckLength("worker", request.worker, kMaxName));
  RETURN_IF_ERROR(CheckLength("node", request.node, kMaxName));
  RETURN_IF_ERROR(CheckSpan("lease", request.lease, Millis(1)));
  if (request.models.size() > kMaxModelsOffered) {
    return InvalidArgument("models has " + std::to_string(request.models.size()) +
                           " entries; the limit is " + std::to_string(kMaxModelsOffered));
  }
  for (const std::string& model : request.models) {
    RETURN_IF_ERROR(CheckLength("models", model, kMaxName));
  }
  return OkStatus();
}

Status CheckRenew(const RenewRequest& request) {
  RETURN_IF_ERROR(CheckFence(request.fence));
  RETURN_IF_ERROR(CheckLength("checkpoint", request.checkpoint, kMaxText));
  RETURN_IF_ERROR(CheckSpan("stall", request.stall, Millis(0)));
  return CheckSpan("lease", request.lease, Millis(1));
}

Status CheckFailure(const Failure& failure) {
  RETURN_IF_ERROR(CheckFence(failure.fence));
  RETURN_IF_ERROR(CheckLength("reason", failure.reason, kMaxText));
  RETURN_IF_ERROR(CheckLength("code", failure.code, kMaxName));
  RETURN_IF_ERROR(CheckLength("fault", failure.fault, kMaxName));
  return CheckSpan("delay", failure.delay, Millis(0));
}

Status CheckLimits(const QueueLimits& limits) {
  RETURN_IF_ERROR(CheckCap("max_jobs", limits.max_jobs));
  RETURN_IF_ERROR(CheckCap("max_per_tenant", limits.max_per_tenant));
  RETURN_IF_ERROR(CheckCap("max_running_per_tenant", limits.max_running_per_tenant));
  RETURN_IF_ERROR(CheckCap("max_preemptions", limits.max_preemptions));
  RETURN_IF_ERROR(CheckCap("max_dead", limits.max_dead));
  RETURN_IF_ERROR(CheckCap("max_ended", limits.max_ended));
  if (limits.ended_memory_percent < 1 || limits.ended_memory_percent > 100) {
    return InvalidArgument("ended_memory_percent is " +
                           std::to_string(limits.ended_memory_percent) +
                           "; it must be from 1 to 100");
  }
  RETURN_IF_ERROR(CheckQuota("pixel_steps_per_tenant", limits.pixel_steps_per_tenant));
  RETURN_IF_ERROR(CheckQuota("prompt_bytes_per_tenant", limits.prompt_bytes_per_tenant));
  RETURN_IF_ERROR(CheckQuota("result_bytes_per_tenant", limits.result_bytes_per_tenant));
  if (limits.max_tries < 1 || limits.max_crashes < 1) {
    return InvalidArgument("max_tries and max_crashes must be at least 1");
  }
  RETURN_IF_ERROR(CheckSpan("stall", limits.stall, Millis(1)));
  RETURN_IF_ERROR(CheckSpan("preempt_after", limits.preempt_after, Millis(0)));
  return CheckSpan("preempt_floor", limits.preempt_floor, Millis(0));
}

Status CheckTenantLimits(const std::string& tenant, const TenantLimits& limits) {
  RETURN_IF_ERROR(CheckLength("tenant", tenant, kMaxName));
  RETURN_IF_ERROR(CheckCap("max_open", limits.max_open.value_or(0)));
  RETURN_IF_ERROR(CheckCap("max_running", limits.max_running.value_or(0)));
  RETURN_IF_ERROR(CheckQuota("pixel_steps", limits.pixel_steps.value_or(0)));
  RETURN_IF_ERROR(CheckQuota("prompt_bytes", limits.prompt_bytes.value_or(0)));
  RETURN_IF_ERROR(CheckQuota("result_bytes", limits.result_bytes.value_or(0)));
  const int64_t weight = limits.weight.value_or(1);
  if (weight >= 1 && weight <= kMaxWeight) return OkStatus();
  return InvalidArgument("weight is " + std::to_string(weight) + "; it must be from 1 to " +
                         std::to_string(kMaxWeight));
}

StatusOr<JobId> NextGeneration(const JobId& id) {
  const size_t mark = id.find('#');
  const int generation = mark == JobId::npos ? 1 : std::atoi(id.c_str() + mark + 1);
  JobId next = id.substr(0, mark) + "#" + std::to_string(generation + 1);
  if (!job::IsValidJobId(next)) {
    return FailedPrecondition("job " + id + " has been redriven too often");
  }
  return next;
}

Status NotDead(const JobId& id, State state) {
  return FailedPrecondition("job " + id + " is " + std::string(job::ToString(state)) +
                            "; only a dead letter can be redriven");
}

Status ToStatus(const SubmitReply& refusal) {
  if (refusal.outcome == SubmitOutcome::kPaused) return Public(Unavailable("the queue is paused"));
  return Public(ResourceExhausted("the queue is full (" + refusal.full + ")"));
}

}  // namespace phasor::queue
