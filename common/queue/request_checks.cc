#include "common/queue/request_checks.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace phasor::queue {
namespace {

constexpr size_t kMaxName = 256;
constexpr size_t kMaxNonce = 64;
constexpr size_t kMaxModels = 64;
constexpr size_t kMaxSpec = 1 << 20;
constexpr size_t kMaxText = 4096;
constexpr int64_t kMaxCost = 1'000'000'000;
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
  if (request.models.size() > kMaxModels) return InvalidArgument("models has more than 64 entries");
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
  return CheckSpan("delay", failure.delay, Millis(0));
}

Status CheckLimits(const QueueLimits& limits) {
  if (limits.max_jobs < 0 || limits.max_per_tenant < 0) {
    return InvalidArgument("max_jobs and max_per_tenant must not be negative");
  }
  if (limits.max_tries < 1 || limits.max_crashes < 1) {
    return InvalidArgument("max_tries and max_crashes must be at least 1");
  }
  return CheckSpan("stall", limits.stall, Millis(1));
}

}  // namespace phasor::queue
