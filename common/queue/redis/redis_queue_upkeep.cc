// The Maintenance and Control halves of RedisQueue.

#include <algorithm>

#include "common/queue/redis/redis_queue.h"
#include "common/queue/redis/script_call.h"
#include "common/queue/redis/view_codec.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

// What one run of a script does, a few milliseconds in which Redis does nothing else.
constexpr int kUnparkedAtOnce = 128;  // tenants; each may be in many rings
constexpr int kModelsAtOnce = 50;     // of statistics

std::string TextOrEmpty(const std::optional<int64_t>& number) {
  return number ? Text(*number) : std::string();
}

}  // namespace

StatusOr<int> RedisQueue::Recover(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kRecover, {Text(std::clamp(limit, 1, kMaxMoved))}));
  return static_cast<int>(reply.AsInteger());
}

StatusOr<std::vector<SealRequest>> RedisQueue::PendingSeals(int limit) {
  ASSIGN_OR_RETURN(
      const RedisReply reply,
      Run(scripts::kSeals, {Text(std::clamp(limit, 1, kMaxSeals)), Text(kSealClaim.count())}));
  std::vector<SealRequest> seals;
  for (const RedisReply& row : reply.list) {
    ASSIGN_OR_RETURN(SealRequest seal, DecodeSeal(row));
    seals.push_back(std::move(seal));
  }
  return seals;
}

Status RedisQueue::Adopt(const JobId& id, State state, const std::string& result) {
  RETURN_IF_ERROR(CheckId(id));
  if (!job::IsTerminal(state)) return InvalidArgument("state to adopt is not terminal");
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kAdopt, {id, std::string(job::ToString(state)), result}));
  return reply.AsInteger() == 1 ? OkStatus() : NotFound("no job " + id);
}

StatusOr<QueueStats> RedisQueue::Stats() {
  QueueStats stats;
  std::string cursor;
  do {
    ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kStats, {cursor, Text(kModelsAtOnce)}));
    ASSIGN_OR_RETURN(cursor, DecodeStats(reply, &stats));
  } while (!cursor.empty());
  return stats;
}

StatusOr<AuditReport> RedisQueue::AuditPart(const Script& script, const std::string& cursor,
                                            int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(script, {cursor, Text(std::clamp(limit, 1, kMaxAudit))}));
  return DecodeAudit(reply);
}

// A cursor is the script's with a letter before it: "l" goes round what lives, "e" does the same
// and then "h", what has ended.
StatusOr<AuditReport> RedisQueue::Audit(const std::string& cursor, int limit) {
  if (cursor == kAuditDue) {
    ASSIGN_OR_RETURN(const AuditReport report, AuditPart(scripts::kAudit, "due", limit));
    return report.looked > 0 ? report : AuditPart(scripts::kHistory, "due", limit);
  }
  const bool begins = cursor.empty() || cursor == kAuditEverything;
  const char kind = begins ? (cursor.empty() ? 'l' : 'e') : cursor[0];
  const Script& script = kind == 'h' ? scripts::kHistory : scripts::kAudit;
  ASSIGN_OR_RETURN(AuditReport report,
                   AuditPart(script, begins ? cursor : cursor.substr(1), limit));
  if (!report.next_cursor.empty()) {
    report.next_cursor = kind + report.next_cursor;
  } else if (kind == 'e') {
    report.next_cursor = "h";
  }
  return report;
}

StatusOr<int> RedisQueue::Forget(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kForget, {Text(std::clamp(limit, 1, kMaxForget))}));
  return static_cast<int>(reply.AsInteger());
}

StatusOr<std::vector<Preemption>> RedisQueue::Preempt(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kPreempt, {Text(std::clamp(limit, 1, kMaxPreemptions))}));
  std::vector<Preemption> asked;
  for (const RedisReply& row : reply.list) {
    asked.push_back({row[0].text, row[1].text, row[2].AsInteger() != 0});
  }
  return asked;
}

Status RedisQueue::SetLimits(const QueueLimits& limits) {
  RETURN_IF_ERROR(CheckLimits(limits));
  std::vector<std::string> arguments;
  for (const auto& [field, value] : EncodeLimits(limits)) {
    arguments.push_back(field);
    arguments.push_back(Text(value));
  }
  RETURN_IF_ERROR(Run(scripts::kSetLimits, arguments).status());
  std::string cursor = "0";
  do {
    ASSIGN_OR_RETURN(const RedisReply reply,
                     Run(scripts::kUnpark, {cursor, Text(kUnparkedAtOnce)}));
    cursor = reply.text;
  } while (cursor != "0");
  return OkStatus();
}

StatusOr<QueueLimits> RedisQueue::Limits() {
  const std::string key = options_.prefix + "cfg";
  ASSIGN_OR_RETURN(const RedisReply reply, Command({"HGETALL", key}));
  return DecodeLimits(reply);
}

Status RedisQueue::SetTenantLimits(const std::string& tenant, const TenantLimits& limits) {
  RETURN_IF_ERROR(CheckTenantLimits(tenant, limits));
  return Run(scripts::kSetTenantLimits,
             {job::KeyName(tenant), TextOrEmpty(limits.max_open), TextOrEmpty(limits.max_running),
              TextOrEmpty(limits.weight), TextOrEmpty(limits.pixel_steps),
              TextOrEmpty(limits.prompt_bytes), TextOrEmpty(limits.result_bytes)})
      .status();
}

Status RedisQueue::SetPaused(bool paused) {
  return Run(scripts::kSetPaused, {paused ? "1" : "0"}).status();
}

}  // namespace phasor::queue
