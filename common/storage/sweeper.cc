#include "common/storage/sweeper.h"

#include <utility>

namespace phasor::storage {
namespace {

constexpr char kAllJobs[] = "jobs";
// Of one job: more than this many are looked at in portions, so that memory stays bounded.
constexpr size_t kMaxPortion = 10'000;

void Count(SweepReason reason, SweepReport* report) {
  switch (reason) {
    case SweepReason::kOrphan:
      ++report->orphans;
      break;
    case SweepReason::kCheckpoint:
      ++report->checkpoints;
      break;
    case SweepReason::kResult:
      ++report->results;
      break;
    case SweepReason::kRecord:
      ++report->records;
      break;
  }
}

}  // namespace

Sweeper::Sweeper(ResultStore* store, SweepPolicy policy, InQueue in_queue)
    : store_(store), policy_(policy), in_queue_(std::move(in_queue)) {}

SweepReport Sweeper::Tick(int64_t now_ms) {
  SweepReport report;
  if (ready_.empty()) report.status = ReadPage(&report);
  while (report.status.ok() && !ready_.empty()) {
    const JobObjects job = std::move(ready_.front());
    ready_.pop_front();
    report.status = SweepJob(job, now_ms, &report);
  }
  report.round_over = report.status.ok() && ready_.empty() && cursor_.empty();
  return report;
}

Status Sweeper::ReadPage(SweepReport* report) {
  ASSIGN_OR_RETURN(ListPage page, store_->List(kAllJobs, cursor_, kMaxListPage));
  report->looked += static_cast<int64_t>(page.objects.size());
  cursor_ = std::move(page.next);
  const auto finish_job = [this] {
    if (!partial_.objects.empty()) ready_.push_back(std::exchange(partial_, {}));
  };
  for (StoredObject& object : page.objects) {
    const std::optional<JobObject> named = ParseJobKey(object.key);
    if (!named) continue;  // somebody else's
    if (named->id != partial_.id || partial_.objects.size() >= kMaxPortion) finish_job();
    partial_.id = named->id;
    partial_.objects.push_back(std::move(object));
  }
  if (cursor_.empty()) finish_job();
  return OkStatus();
}

Status Sweeper::SweepJob(const JobObjects& job, int64_t now_ms, SweepReport* report) {
  if (!IsWorthALook(job, policy_, now_ms)) return OkStatus();
  // After the listing: a record that appears in between names its blobs already.
  StatusOr<TerminalRecord> read = store_->ReadTerminal(job.id);
  std::optional<TerminalRecord> record;
  bool in_queue = false;
  if (read.ok()) {
    record = std::move(read).value();
  } else if (read.status().code() == StatusCode::kNotFound) {
    ASSIGN_OR_RETURN(in_queue, in_queue_(job.id));
  } else if (read.status().code() == StatusCode::kDataLoss) {
    ++report->unreadable;
    return OkStatus();
  } else {
    return read.status();
  }
  for (const Deletion& deletion : PlanSweep(job, record, in_queue, policy_, now_ms)) {
    RETURN_IF_ERROR(store_->Delete(deletion.key));
    Count(deletion.reason, report);
  }
  return OkStatus();
}

}  // namespace phasor::storage
