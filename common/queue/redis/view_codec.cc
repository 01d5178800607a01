#include "common/queue/redis/view_codec.h"

#include <map>
#include <optional>

namespace phasor::queue {
namespace {

constexpr size_t kViewFields = 20;
constexpr size_t kGrantFields = 17;
constexpr size_t kStatsTotals = 4;

StatusOr<Priority> DecodePriority(const RedisReply& reply) {
  const int64_t number = reply.AsInteger();
  if (number < 0 || number > 3 || reply.text.size() != 1) {
    return DataLoss("Redis: a job has no legal class");
  }
  return static_cast<Priority>(number);
}

// Names are stored only where they differ from their key.
std::string NameOf(const RedisReply& name, const RedisReply& key) {
  return name.is_nil() ? key.text : name.text;
}

}  // namespace

StatusOr<State> DecodeState(const RedisReply& reply) {
  const std::optional<State> state = job::ParseState(reply.text);
  if (!state) return DataLoss("Redis: a job has the unknown state '" + reply.text + "'");
  return *state;
}

StatusOr<JobView> DecodeView(const RedisReply& row) {
  if (row.list.size() < kViewFields) return DataLoss("Redis: a job's record is too short");
  JobView view;
  view.id = row[0].text;
  ASSIGN_OR_RETURN(view.state, DecodeState(row[1]));
  view.phase = job::ParsePhase(row[2].text).value_or(Phase::kNone);
  ASSIGN_OR_RETURN(view.priority, DecodePriority(row[3]));
  view.model = NameOf(row[5], row[4]);
  view.tenant = NameOf(row[7], row[6]);
  view.epoch = row[8].AsInteger();
  view.tries = static_cast<int>(row[9].AsInteger());
  view.crashes = static_cast<int>(row[10].AsInteger());
  view.step = static_cast<int>(row[11].AsInteger());
  view.enqueued_ms = row[12].AsInteger();
  view.changed_ms = row[13].AsInteger();
  view.deadline_ms = row[14].AsInteger();
  view.version = row[15].AsInteger();
  view.worker = row[16].text;
  view.result = row[17].text;
  view.reason = row[18].text;
  view.code = row[19].text;
  if (row.list.size() > kViewFields) view.position = row[kViewFields].AsInteger();
  view.spec = row[kViewFields + 1].text;
  return view;
}

StatusOr<Grant> DecodeGrant(const RedisReply& row, const std::string& nonce) {
  if (row.list.size() != kGrantFields) return DataLoss("Redis: a grant has the wrong length");
  Grant grant;
  grant.fence = {row[1].text, row[2].AsInteger(), nonce};
  ASSIGN_OR_RETURN(grant.priority, DecodePriority(row[3]));
  grant.model = NameOf(row[5], row[4]);
  grant.tenant = NameOf(row[7], row[6]);
  grant.crashes = static_cast<int>(row[8].AsInteger());
  grant.tries = static_cast<int>(row[9].AsInteger());
  grant.step = static_cast<int>(row[10].AsInteger());
  grant.checkpoint = row[11].text;
  grant.solo = row[12].AsInteger() != 0;
  grant.enqueued_ms = row[13].AsInteger();
  grant.deadline_ms = row[14].AsInteger();
  grant.lease = Millis(row[15].AsInteger());
  grant.spec = row[16].text;
  return grant;
}

StatusOr<QueueStats> DecodeStats(const RedisReply& reply) {
  if (reply.list.size() < kStatsTotals) return DataLoss("Redis: statistics are too short");
  QueueStats stats;
  stats.live = reply[0].AsInteger();
  stats.sealing = reply[1].AsInteger();
  stats.dead = reply[2].AsInteger();
  stats.paused = reply[3].AsInteger() != 0;
  for (size_t i = kStatsTotals; i < reply.list.size(); ++i) {
    const RedisReply& row = reply[i];
    ModelDepth depth;
    for (const Priority priority : job::kPriorities) {
      const int64_t ready = row[1 + static_cast<size_t>(priority)].AsInteger();
      if (ready > 0) depth.ready[priority] = ready;
    }
    depth.running = row[5].AsInteger();
    depth.delayed = row[6].AsInteger();
    depth.oldest_age_ms = row[7].AsInteger();
    stats.models[row[0].text] = depth;
  }
  return stats;
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
          {"max_dead", limits.max_dead}};
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
