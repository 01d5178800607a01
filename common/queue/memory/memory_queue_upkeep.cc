// The Maintenance half of MemoryQueue.

#include <algorithm>

#include "common/queue/memory/memory_queue.h"
#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

constexpr Millis kBetweenAudits{5'000};

}  // namespace

StatusOr<int> MemoryQueue::Recover(int limit) {
  MutexLock lock(&mu_);
  const int most = std::clamp(limit, 1, kMaxMoved);
  return Sweep(most, most, most);
}

int MemoryQueue::Sweep(int promotions, int recoveries, int expiries) {
  const int64_t now = clock_.WallMillis();
  int moved = 0;
  const auto due = [now](const TimeIndex& index) {
    return !index.empty() && index.begin()->first <= now;
  };
  for (; promotions > 0 && due(delays_); --promotions, ++moved) {
    Apply(jobs_.at(delays_.begin()->second), job::DelayEnded{});
  }
  for (; recoveries > 0 && due(leases_); --recoveries, ++moved) {
    Apply(jobs_.at(leases_.begin()->second), job::LeaseEnded{});
  }
  for (; expiries > 0 && due(deadlines_); --expiries, ++moved) {
    Apply(jobs_.at(deadlines_.begin()->second), job::DeadlinePassed{});
  }
  return moved;
}

StatusOr<std::vector<SealRequest>> MemoryQueue::PendingSeals(int limit) {
  MutexLock lock(&mu_);
  const int64_t now = clock_.WallMillis();
  std::vector<SealRequest> requests;
  const size_t most = static_cast<size_t>(std::clamp(limit, 1, kMaxSeals));
  while (requests.size() < most && !seals_.empty() && seals_.begin()->first <= now) {
    Job& job = jobs_.at(seals_.begin()->second);
    LeaveIndex(job);
    job.seal_ms = now + kSealClaim.count();
    EnterIndex(job, /*at_head=*/false);
    requests.push_back({job.request.id, job.life.want, job.reason, job.code, job.life.epoch});
  }
  return requests;
}

Status MemoryQueue::Adopt(const JobId& id, State state, const std::string& result) {
  RETURN_IF_ERROR(CheckId(id));
  if (!job::IsTerminal(state)) return InvalidArgument("state to adopt is not terminal");
  MutexLock lock(&mu_);
  Job* job = Find(id);
  if (job == nullptr) return NotFound("no job " + id);
  if (Apply(*job, job::RecordFound{state})) job->result = result;
  return OkStatus();
}

StatusOr<QueueStats> MemoryQueue::Stats() {
  MutexLock lock(&mu_);
  QueueStats stats;
  const int64_t now = clock_.WallMillis();
  for (const JobId& id : live_) {
    const Job& job = jobs_.at(id);
    ModelDepth& depth = stats.models[job.request.model];
    const State state = job.life.state;
    if (state == State::kQueued) {
      const Priority priority = job.request.priority;
      depth.cost += job.request.cost;
      if (ready_[{job.request.model, static_cast<int>(priority)}].IsParked(job.request.tenant)) {
        ++depth.blocked[priority];
      } else {
        ++depth.ready[priority];
        depth.oldest_age_ms = std::max(depth.oldest_age_ms, now - job.enqueued_ms);
      }
    }
    if (state == State::kLeased) ++depth.running;
    if (state == State::kWaiting) ++depth.delayed;
  }
  stats.live = static_cast<int64_t>(live_.size());
  stats.sealing = static_cast<int64_t>(seals_.size());
  stats.dead = static_cast<int64_t>(dead_.size());
  stats.ended = static_cast<int64_t>(ended_.size());
  stats.paused = paused_;
  stats.now_ms = now;
  return stats;
}

StatusOr<AuditReport> MemoryQueue::Audit(const std::string& cursor, int limit) {
  MutexLock lock(&mu_);
  AuditReport report;
  if (cursor == kAuditDue) {
    const int64_t now = clock_.WallMillis();
    if (now < audit_due_ms_) return report;
    audit_due_ms_ = now + kBetweenAudits.count();
    report.looked = static_cast<int64_t>(live_.size());
    return report;
  }
  const bool begins = cursor.empty() || cursor == kAuditEverything;
  auto next = begins ? live_.begin() : live_.upper_bound(cursor);
  for (; next != live_.end() && report.looked < std::max(limit, 1); ++next) {
    ++report.looked;
    report.next_cursor = *next;
  }
  if (next == live_.end()) report.next_cursor.clear();
  return report;
}

StatusOr<int> MemoryQueue::Forget(int limit) {
  MutexLock lock(&mu_);
  const int64_t now = clock_.WallMillis();
  int forgotten = 0;
  const auto must_go = [&] {
    if (ended_.empty()) return false;
    return ended_.begin()->first <= now || static_cast<int64_t>(ended_.size()) > limits_.max_ended;
  };
  for (; forgotten < std::clamp(limit, 1, kMaxForget) && must_go(); ++forgotten) {
    Erase(jobs_.at(ended_.begin()->second));
  }
  return forgotten;
}

std::vector<MemoryQueue::ModelClass> MemoryQueue::WaitingTooLong(size_t limit) {
  const int64_t latest = clock_.WallMillis() - limits_.preempt_after.count();
  std::vector<ModelClass> waiting;
  Counters room;  // so that a tenant gets no worker that it may not use
  for (int cls = 0; cls < static_cast<int>(Priority::kLow); ++cls) {
    for (auto& [key, ring] : ready_) {
      if (key.second != cls) continue;
      for (const std::string& tenant : ring.tenants()) {
        int64_t& left = room.emplace(tenant, RoomOf(tenant)).first->second;
        for (const JobId& id : *ring.List(tenant)) {
          if (waiting.size() >= limit || left <= 0 || jobs_.at(id).enqueued_ms > latest) break;
          --left;
          waiting.push_back(key);
        }
      }
    }
  }
  return waiting;
}

// The least urgent first, and of these the one that began last: it has least to lose.
std::vector<MemoryQueue::Job*> MemoryQueue::VictimsInOrder() {
  std::vector<Job*> victims;
  for (const auto& [end, id] : leases_) victims.push_back(&jobs_.at(id));
  std::sort(victims.begin(), victims.end(), [](const Job* a, const Job* b) {
    const auto key = [](const Job* job) {
      return std::make_tuple(-static_cast<int>(job->request.priority), -job->changed_ms,
                             job->request.id);
    };
    return key(a) < key(b);
  });
  return victims;
}

StatusOr<std::vector<Preemption>> MemoryQueue::Preempt(int limit) {
  MutexLock lock(&mu_);
  std::vector<Preemption> asked;
  if (paused_) return asked;
  const size_t most = static_cast<size_t>(std::clamp(limit, 1, kMaxPreemptions));
  const int64_t began_before = clock_.WallMillis() - limits_.preempt_floor.count();
  const std::vector<ModelClass> waiting = WaitingTooLong(most);
  if (waiting.empty()) return asked;
  std::vector<Job*> victims = VictimsInOrder();
  std::set<Job*> answered;  // asked before, and a job waits for the place
  for (const auto& [model, cls] : waiting) {
    const auto serves = [&, model = model, cls = cls](const Job* job) {
      return static_cast<int>(job->request.priority) > cls && job->models.count(model) > 0;
    };
    const auto before = std::find_if(victims.begin(), victims.end(), [&](Job* job) {
      return job->life.preempted && answered.count(job) == 0 && serves(job);
    });
    if (before != victims.end()) {
      answered.insert(*before);
      continue;
    }
    for (Job* job : victims) {
      if (!serves(job) || job->changed_ms > began_before) continue;
      if (!Apply(*job, job::AskedToMakeRoom{})) continue;
      answered.insert(job);
      asked.push_back({job->request.id, job->worker, /*repeated=*/false});
      break;
    }
  }
  for (const Job* job : victims) {
    const bool is_new = std::any_of(asked.begin(), asked.end(), [&](const Preemption& one) {
      return one.id == job->request.id;
    });
    if (job->life.preempted && !is_new && asked.size() < most) {
      asked.push_back({job->request.id, job->worker, /*repeated=*/true});
    }
  }
  return asked;
}

}  // namespace phasor::queue
