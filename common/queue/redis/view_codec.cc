#include "common/queue/redis/view_codec.h"

#include <iterator>
#include <map>
#include <optional>
#include <span>

#include "common/queue/redis/job_fields.h"

namespace phasor::queue {
namespace {

constexpr size_t kStatsTotals = 9;

// Behind the view's fields, where get.lua answered.
constexpr size_t kPosition = std::size(kViewFields);
constexpr size_t kSpec = kPosition + 1;

StatusOr<Priority> DecodePriority(const RedisReply& reply) {
  const int64_t number = reply.AsInteger();
  if (number < 0 || number > 3 || reply.text.size() != 1) {
    return DataLoss("Redis: a job has no legal class");
  }
  return static_cast<Priority>(number);
}

// Names are stored only where they differ from their key.
std::string NameOf(const RedisReply& name, const RedisReply& key) {
  static const std::string kOfNobody = job::KeyName("");
  if (!name.is_nil()) return name.text;
  return key.text == kOfNobody ? std::string() : key.text;
}

}  // namespace

StatusOr<State> DecodeState(const RedisReply& reply) {
  const std::optional<State> state = job::ParseState(reply.text);
  if (!state) return DataLoss("Redis: a job has the unknown state '" + reply.text + "'");
  return *state;
}

StatusOr<JobView> DecodeView(const RedisReply& row) {
  if (row.list.size() < std::size(kViewFields)) {
    return DataLoss("Redis: a job's record is too short");
  }
  JobView view;
  view.id = row[At(kViewFields, "id")].text;
  ASSIGN_OR_RETURN(view.state, DecodeState(row[At(kViewFields, "state")]));
  if (view.state == State::kLeased) {
    view.phase = job::ParsePhase(row[At(kViewFields, "phase")].text).value_or(Phase::kNone);
  }
  ASSIGN_OR_RETURN(view.priority, DecodePriority(row[At(kViewFields, "class")]));
  view.model = NameOf(row[At(kViewFields, "model_name")], row[At(kViewFields, "model")]);
  view.tenant = NameOf(row[At(kViewFields, "tenant_name")], row[At(kViewFields, "tenant")]);
  view.epoch = row[At(kViewFields, "epoch")].AsInteger();
  view.tries = static_cast<int>(row[At(kViewFields, "tries")].AsInteger());
  view.crashes = static_cast<int>(row[At(kViewFields, "crashes")].AsInteger());
  view.step = static_cast<int>(row[At(kViewFields, "step")].AsInteger());
  view.enqueued_ms = row[At(kViewFields, "enqueued")].AsInteger();
  view.changed_ms = row[At(kViewFields, "changed")].AsInteger();
  view.started_ms = row[At(kViewFields, "started")].AsInteger();
  view.deadline_ms = row[At(kViewFields, "deadline")].AsInteger();
  view.version = row[At(kViewFields, "version")].AsInteger();
  view.worker = row[At(kViewFields, "worker")].text;
  view.result = row[At(kViewFields, "result")].text;
  view.reason = row[At(kViewFields, "reason")].text;
  view.code = row[At(kViewFields, "code")].text;
  view.shared = row[At(kViewFields, "shared")].AsInteger() == 1;
  if (row.list.size() > kPosition) view.position = row[kPosition].AsInteger();
  view.spec = row[kSpec].text;
  return view;
}

StatusOr<Grant> DecodeGrant(const RedisReply& row, const std::string& nonce) {
  // The answer to the completion stands before them, the spec behind.
  constexpr size_t kFields = std::size(kGrantFields);
  if (row.list.size() != 1 + kFields + 1) return DataLoss("Redis: a grant has the wrong length");
  const std::span<const RedisReply> fields(&row.list[1], kFields);
  Grant grant;
  grant.fence = {fields[At(kGrantFields, "id")].text, fields[At(kGrantFields, "epoch")].AsInteger(),
                 nonce};
  ASSIGN_OR_RETURN(grant.priority, DecodePriority(fields[At(kGrantFields, "class")]));
  grant.model = NameOf(fields[At(kGrantFields, "model_name")], fields[At(kGrantFields, "model")]);
  grant.tenant =
      NameOf(fields[At(kGrantFields, "tenant_name")], fields[At(kGrantFields, "tenant")]);
  grant.crashes = static_cast<int>(fields[At(kGrantFields, "crashes")].AsInteger());
  grant.tries = static_cast<int>(fields[At(kGrantFields, "tries")].AsInteger());
  grant.step = static_cast<int>(fields[At(kGrantFields, "checkpoint_step")].AsInteger());
  grant.checkpoint = fields[At(kGrantFields, "checkpoint")].text;
  grant.solo = fields[At(kGrantFields, "solo")].AsInteger() != 0;
  grant.enqueued_ms = fields[At(kGrantFields, "enqueued")].AsInteger();
  grant.deadline_ms = fields[At(kGrantFields, "deadline")].AsInteger();
  grant.lease = Millis(fields[At(kGrantFields, "lease")].AsInteger());
  grant.spec = row.list.back().text;
  return grant;
}

StatusOr<std::string> DecodeStats(const RedisReply& reply, QueueStats* into) {
  if (reply.list.size() < kStatsTotals) return DataLoss("Redis: statistics are too short");
  QueueStats& stats = *into;
  stats.live = reply[1].AsInteger();
  stats.sealing = reply[2].AsInteger();
  stats.dead = reply[3].AsInteger();
  stats.paused = reply[4].AsInteger() != 0;
  stats.ended = reply[5].AsInteger();
  stats.memory_used = reply[6].AsInteger();
  stats.memory_limit = reply[7].AsInteger();
  stats.now_ms = reply[8].AsInteger();
  for (size_t i = kStatsTotals; i < reply.list.size(); ++i) {
    const RedisReply& row = reply[i];
    ModelDepth depth;
    for (const Priority priority : job::kPriorities) {
      const int64_t ready = row[1 + static_cast<size_t>(priority)].AsInteger();
      const int64_t blocked = row[5 + static_cast<size_t>(priority)].AsInteger();
      if (ready > 0) depth.ready[priority] = ready;
      if (blocked > 0) depth.blocked[priority] = blocked;
    }
    depth.running = row[9].AsInteger();
    depth.delayed = row[10].AsInteger();
    depth.cost = row[11].AsInteger();
    depth.oldest_age_ms = row[12].AsInteger();
    stats.models[row[0].text] = depth;
  }
  return reply[0].text;
}

StatusOr<AuditReport> DecodeAudit(const RedisReply& reply) {
  if (reply.list.size() != 4) return DataLoss("Redis: an audit's report has the wrong length");
  AuditReport report;
  report.next_cursor = reply[0].text;
  report.looked = reply[1].AsInteger();
  report.repaired = reply[2].AsInteger();
  for (const RedisReply& sentence : reply[3].list) report.repairs.push_back(sentence.text);
  return report;
}

std::vector<std::pair<std::string, int64_t>> EncodeLimits(const QueueLimits& limits) {
  return {{"max_jobs", limits.max_jobs},
          {"max_per_tenant", limits.max_per_tenant},
          {"max_running_per_tenant", limits.max_running_per_tenant},
          {"max_tries", limits.max_tries},
          {"max_crashes", limits.max_crashes},
          {"stall", limits.stall.count()},
          {"preempt_after", limits.preempt_after.count()},
          {"preempt_floor", limits.preempt_floor.count()},
          {"max_preemptions", limits.max_preemptions},
          {"max_dead", limits.max_dead},
          {"max_ended", limits.max_ended},
          {"ended_memory_percent", limits.ended_memory_percent},
          {"pixel_steps_per_tenant", limits.pixel_steps_per_tenant},
          {"prompt_bytes_per_tenant", limits.prompt_bytes_per_tenant},
          {"result_bytes_per_tenant", limits.result_bytes_per_tenant}};
}

StatusOr<QueueLimits> DecodeLimits(const RedisReply& fields) {
  std::map<std::string, int64_t> found;
  for (const auto& [field, value] : EncodeLimits(QueueLimits{})) found[field] = value;
  for (size_t i = 0; i + 1 < fields.list.size(); i += 2) {
    found[fields[i].text] = fields[i + 1].AsInteger();
  }
  QueueLimits limits;
  limits.max_jobs = found["max_jobs"];
  limits.max_per_tenant = found["max_per_tenant"];
  limits.max_running_per_tenant = found["max_running_per_tenant"];
  limits.max_tries = static_cast<int>(found["max_tries"]);
  limits.max_crashes = static_cast<int>(found["max_crashes"]);
  limits.stall = Millis(found["stall"]);
  limits.preempt_after = Millis(found["preempt_after"]);
  limits.preempt_floor = Millis(found["preempt_floor"]);
  limits.max_preemptions = static_cast<int>(found["max_preemptions"]);
  limits.max_dead = found["max_dead"];
  limits.max_ended = found["max_ended"];
  limits.ended_memory_percent = found["ended_memory_percent"];
  limits.pixel_steps_per_tenant = found["pixel_steps_per_tenant"];
  limits.prompt_bytes_per_tenant = found["prompt_bytes_per_tenant"];
  limits.result_bytes_per_tenant = found["result_bytes_per_tenant"];
  return limits;
}

StatusOr<SealRequest> DecodeSeal(const RedisReply& row) {
  SealRequest seal;
  seal.id = row[0].text;
  ASSIGN_OR_RETURN(seal.want, DecodeState(row[1]));
  seal.reason = row[2].text;
  seal.code = row[3].text;
  seal.epoch = row[4].AsInteger();
  return seal;
}

}  // namespace phasor::queue
