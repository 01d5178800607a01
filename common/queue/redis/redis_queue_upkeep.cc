// The Maintenance and Control halves of RedisQueue.

#include <algorithm>

#include "common/queue/redis/redis_queue.h"
#include "common/queue/redis/script_call.h"
#include "common/queue/redis/view_codec.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

std::string TextOrEmpty(const std::optional<int64_t>& number) {
  return number ? Text(*number) : std::string();
}

}  // namespace

StatusOr<int> RedisQueue::Recover(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kRecover, {Text(std::max(limit, 1))}));
  return static_cast<int>(reply.AsInteger());
}

StatusOr<std::vector<SealRequest>> RedisQueue::PendingSeals(int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kSeals, {Text(std::max(limit, 1))}));
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
  ASSIGN_OR_RETURN(const RedisReply reply, Run(scripts::kStats, {}));
  return DecodeStats(reply);
}

StatusOr<AuditReport> RedisQueue::Audit(const std::string& cursor, int limit) {
  ASSIGN_OR_RETURN(const RedisReply reply,
                   Run(scripts::kAudit, {cursor, Text(std::clamp(limit, 1, kMaxAudit))}));
  return DecodeAudit(reply);
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
  return Run(scripts::kSetLimits, arguments).status();
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
              TextOrEmpty(limits.weight)})
      .status();
}

Status RedisQueue::SetPaused(bool paused) {
  return Run(scripts::kSetPaused, {paused ? "1" : "0"}).status();
}

}  // namespace phasor::queue
