#include "common/storage/sweep.h"

#include <algorithm>
#include <set>

namespace phasor::storage {
namespace {

constexpr Millis kLeastAge{3'600'000};
constexpr Millis kQueueKeepsEnded{72 * 3'600'000};

ObjectKind KindOf(const StoredObject& object) {
  const std::optional<JobObject> parsed = ParseJobKey(object.key);
  return parsed ? parsed->kind : ObjectKind::kOther;
}

bool IsOlder(int64_t modified_ms, Millis age, int64_t now_ms) {
  return now_ms - modified_ms > age.count();
}

// Zero stands for ever.
bool IsPast(int64_t modified_ms, Millis retention, int64_t now_ms) {
  return retention.count() > 0 && IsOlder(modified_ms, retention, now_ms);
}

std::vector<Deletion> PlanWithoutRecord(const JobObjects& job, const SweepPolicy& policy,
                                        int64_t now_ms) {
  std::vector<Deletion> plan;
  for (const StoredObject& object : job.objects) {
    const ObjectKind kind = KindOf(object);
    const bool swept = kind == ObjectKind::kBlob || kind == ObjectKind::kCheckpoint;
    if (swept && IsOlder(object.modified_ms, policy.orphan_after, now_ms)) {
      plan.push_back({object.key, SweepReason::kOrphan});
    }
  }
  return plan;
}

// A result is as old as the youngest of its parts: its blobs and its record. Without the record in
// the listing it has just been written.
int64_t ResultTime(const JobObjects& job, const std::set<std::string>& named, int64_t now_ms) {
  int64_t newest = 0;
  bool listed = false;
  for (const StoredObject& object : job.objects) {
    const bool is_record = KindOf(object) == ObjectKind::kTerminal;
    listed = listed || is_record;
    if (is_record || named.count(object.key) != 0) newest = std::max(newest, object.modified_ms);
  }
  return listed ? newest : now_ms;
}

}  // namespace

Status Validate(const SweepPolicy& policy) {
  if (policy.orphan_after < kLeastAge) {
    return InvalidArgument("orphan_after must be at least an hour");
  }
  if (policy.result_retention.count() != 0 && policy.result_retention < kLeastAge) {
    return InvalidArgument("result_retention must be 0 (for ever) or at least an hour");
  }
  if (policy.record_retention.count() == 0) return OkStatus();
  if (policy.record_retention < kQueueKeepsEnded) {
    return InvalidArgument("record_retention must be 0 (for ever) or at least 72 hours");
  }
  if (policy.result_retention.count() == 0 || policy.record_retention < policy.result_retention) {
    return InvalidArgument("record_retention must not be shorter than result_retention");
  }
  return OkStatus();
}

bool IsWorthALook(const JobObjects& job, const SweepPolicy& policy, int64_t now_ms) {
  const auto has = [&](ObjectKind kind) {
    return std::any_of(job.objects.begin(), job.objects.end(),
                       [&](const StoredObject& object) { return KindOf(object) == kind; });
  };
  if (has(ObjectKind::kTerminal) && has(ObjectKind::kCheckpoint)) return true;
  return std::any_of(job.objects.begin(), job.objects.end(), [&](const StoredObject& object) {
    const int64_t modified = object.modified_ms;
    if (IsPast(modified, policy.result_retention, now_ms)) return true;
    if (IsPast(modified, policy.record_retention, now_ms)) return true;
    return KindOf(object) != ObjectKind::kTerminal &&
           IsOlder(modified, policy.orphan_after, now_ms);
  });
}

std::vector<Deletion> PlanSweep(const JobObjects& job, const std::optional<TerminalRecord>& record,
                                bool in_queue, const SweepPolicy& policy, int64_t now_ms) {
  if (!record) {
    return in_queue ? std::vector<Deletion>() : PlanWithoutRecord(job, policy, now_ms);
  }
  std::set<std::string> named;
  for (const ResultImage& image : record->images) named.insert(image.blob);
  const int64_t ended = ResultTime(job, named, now_ms);
  const bool result_goes = IsPast(ended, policy.result_retention, now_ms);
  const bool record_goes = result_goes && IsPast(ended, policy.record_retention, now_ms);

  std::vector<Deletion> plan;
  std::vector<Deletion> last;
  for (const StoredObject& object : job.objects) {
    const ObjectKind kind = KindOf(object);
    if (kind == ObjectKind::kCheckpoint) {
      plan.push_back({object.key, SweepReason::kCheckpoint});
    } else if (kind == ObjectKind::kBlob && named.count(object.key) != 0) {
      if (result_goes) plan.push_back({object.key, SweepReason::kResult});
    } else if (kind == ObjectKind::kBlob) {
      if (IsOlder(object.modified_ms, policy.orphan_after, now_ms)) {
        plan.push_back({object.key, SweepReason::kOrphan});
      }
    } else if (kind == ObjectKind::kTerminal && record_goes) {
      last.push_back({object.key, SweepReason::kRecord});
    }
  }
  plan.insert(plan.end(), last.begin(), last.end());
  return plan;
}

}  // namespace phasor::storage
