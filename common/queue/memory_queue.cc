#include "common/queue/memory_queue.h"

#include <algorithm>
#include <cstdlib>

#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

constexpr Millis kRetryWhenFull{2'000};
constexpr Millis kRetryWhenPaused{5'000};
constexpr int64_t kExactPositions = 256;
constexpr int kMaxPage = 1000;

}  // namespace

StatusOr<SubmitReply> MemoryQueue::Submit(const SubmitRequest& request) {
  RETURN_IF_ERROR(CheckSubmit(request));
  MutexLock lock(&mu_);
  SubmitReply reply;
  if (const Job* known = Find(request.id); known != nullptr) {
    const bool same = known->fingerprint == request.fingerprint;
    reply.outcome = same ? SubmitOutcome::kDuplicate : SubmitOutcome::kConflict;
    reply.state = known->view.state;
    return reply;
  }
  if (paused_) {
    reply.outcome = SubmitOutcome::kPaused;
    reply.retry_after = kRetryWhenPaused;
    return reply;
  }
  reply.outcome = SubmitOutcome::kFull;
  reply.retry_after = kRetryWhenFull;
  if (static_cast<int64_t>(live_.size()) >= limits_.max_jobs) {
    reply.full = "jobs";
    return reply;
  }
  if (open_by_tenant_[request.tenant] >= limits_.max_per_tenant) {
    reply.full = "tenant";
    return reply;
  }

  Job job;
  job.view.id = request.id;
  job.view.priority = request.priority;
  job.view.model = request.model;
  job.view.tenant = request.tenant;
  job.view.enqueued_ms = clock_.WallMillis();
  job.view.deadline_ms = request.deadline_ms;
  job.view.spec = request.spec;
  job.fingerprint = request.fingerprint;
  job.cost = request.cost;
  job.keep = request.keep;
  job.sequence = ++sequence_;
  by_sequence_[job.sequence] = request.id;
  live_.insert(request.id);
  ++open_by_tenant_[request.tenant];
  MakeReady(jobs_.emplace(request.id, std::move(job)).first->second, /*at_head=*/false);
  return SubmitReply{};
}

StatusOr<State> MemoryQueue::Cancel(const JobId& id, const std::string& tenant) {
  RETURN_IF_ERROR(CheckId(id));
  MutexLock lock(&mu_);
  Job* job = Find(id);
  if (job == nullptr || (!tenant.empty() && job->view.tenant != tenant)) {
    return NotFound("no job " + id);
  }
  if (!job::IsTerminal(job->view.state)) Finish(*job, State::kCanceled);
  return job->view.state;
}

StatusOr<JobView> MemoryQueue::Get(const JobId& id) {
  RETURN_IF_ERROR(CheckId(id));
  MutexLock lock(&mu_);
  const Job* job = Find(id);
  if (job == nullptr) return NotFound("no job " + id);
  JobView view = job->view;
  view.position = PositionOf(*job);
  return view;
}

int64_t MemoryQueue::PositionOf(const Job& job) {
  if (job.view.state != State::kQueued) return -1;
  const auto& list =
      *ready_[{job.view.model, static_cast<int>(job.view.priority)}].List(job.view.tenant);
  const auto end = list.begin() + std::min<ptrdiff_t>(list.size(), kExactPositions);
  const auto found = std::find(list.begin(), end, job.view.id);
  return found == end ? static_cast<int64_t>(list.size()) : found - list.begin();
}

StatusOr<ListReply> MemoryQueue::List(const ListRequest& request) {
  const int limit = std::clamp(request.limit, 1, kMaxPage);
  int64_t before = 0;
  if (!request.page.empty()) {
    before = std::strtoll(request.page.c_str(), nullptr, 10);
    if (before <= 0) return InvalidArgument("page is no token of this queue");
  }
  MutexLock lock(&mu_);
  ListReply reply;
  auto next = before > 0 ? by_sequence_.lower_bound(before) : by_sequence_.end();
  while (next != by_sequence_.begin()) {
    --next;
    const auto sequence = next->first;
    const Job* job = Find(next->second);
    if (job == nullptr) {  // Find has forgotten it, and with it the entry.
      next = by_sequence_.lower_bound(sequence);
      continue;
    }
    const JobView& view = job->view;
    if (!request.tenant.empty() && view.tenant != request.tenant) continue;
    if (!request.model.empty() && view.model != request.model) continue;
    if (!request.states.empty() && std::find(request.states.begin(), request.states.end(),
                                             view.state) == request.states.end()) {
      continue;
    }
    reply.jobs.push_back(view);
    reply.jobs.back().spec.clear();
    if (static_cast<int>(reply.jobs.size()) == limit) {
      if (next != by_sequence_.begin()) reply.next_page = std::to_string(sequence);
      break;
    }
  }
  return reply;
}

StatusOr<int> MemoryQueue::Recover(int limit) {
  MutexLock lock(&mu_);
  return Sweep(limit, limit, limit);
}

StatusOr<std::vector<SealRequest>> MemoryQueue::PendingSeals(int limit) {
  MutexLock lock(&mu_);
  std::vector<SealRequest> requests;
  for (const auto& [since, id] : seals_) {
    if (static_cast<int>(requests.size()) >= limit) break;
    const Job& job = jobs_.at(id);
    requests.push_back({id, job.want, job.view.reason, job.view.code, job.view.epoch});
  }
  return requests;
}

Status MemoryQueue::Adopt(const JobId& id, State state, const std::string& result) {
  RETURN_IF_ERROR(CheckId(id));
  if (!job::IsTerminal(state)) return InvalidArgument("state to adopt is not terminal");
  MutexLock lock(&mu_);
  Job* job = Find(id);
  if (job == nullptr) return NotFound("no job " + id);
  if (job->view.state == state) return OkStatus();
  job->view.result = result;
  Finish(*job, state);
  return OkStatus();
}

StatusOr<QueueStats> MemoryQueue::Stats() {
  MutexLock lock(&mu_);
  QueueStats stats;
  const int64_t now = clock_.WallMillis();
  for (const JobId& id : live_) {
    const JobView& view = jobs_.at(id).view;
    ModelDepth& depth = stats.models[view.model];
    if (view.state == State::kQueued) {
      ++depth.ready[view.priority];
      depth.oldest_age_ms = std::max(depth.oldest_age_ms, now - view.enqueued_ms);
    }
    if (view.state == State::kLeased) ++depth.running;
    if (view.state == State::kWaiting) ++depth.delayed;
  }
  stats.live = static_cast<int64_t>(live_.size());
  stats.sealing = static_cast<int64_t>(seals_.size());
  stats.dead = static_cast<int64_t>(dead_.size());
  stats.paused = paused_;
  return stats;
}

Status MemoryQueue::SetLimits(const QueueLimits& limits) {
  RETURN_IF_ERROR(CheckLimits(limits));
  MutexLock lock(&mu_);
  limits_ = limits;
  return OkStatus();
}

Status MemoryQueue::SetPaused(bool paused) {
  MutexLock lock(&mu_);
  paused_ = paused;
  return OkStatus();
}

Status MemoryQueue::Publish(const Event& event) {
  events_.Publish(event);
  return OkStatus();
}

std::unique_ptr<Subscription> MemoryQueue::Subscribe(std::function<void(const Event&)> on_event) {
  return events_.Subscribe(std::move(on_event));
}

MemoryQueue::Job* MemoryQueue::Find(const JobId& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return nullptr;
  Job& job = found->second;
  if (job.forget_ms == 0 || job.forget_ms > clock_.WallMillis()) return &job;
  by_sequence_.erase(job.sequence);
  dead_.erase(id);
  jobs_.erase(found);
  return nullptr;
}

void MemoryQueue::LeaveIndex(Job& job) {
  const JobView& view = job.view;
  switch (view.state) {
    case State::kQueued:
      ready_[{view.model, static_cast<int>(view.priority)}].Remove(view.tenant, view.id);
      break;
    case State::kWaiting:
      delays_.erase({job.index_ms, view.id});
      break;
    case State::kLeased:
      leases_.erase({job.index_ms, view.id});
      by_nonce_.erase(job.nonce);
      break;
    case State::kSealing:
      seals_.erase({job.index_ms, view.id});
      break;
    case State::kDead:
      dead_.erase(view.id);
      break;
    case State::kDone:
    case State::kCanceled:
    case State::kExpired:
      break;
  }
  deadlines_.erase({view.deadline_ms, view.id});
}

void MemoryQueue::EnterState(Job& job, State state) {
  job.view.state = state;
  job.view.phase = Phase::kNone;
  job.view.changed_ms = clock_.WallMillis();
  ++job.view.version;
  const bool waits = state == State::kQueued || state == State::kWaiting;
  if (waits && job.view.deadline_ms > 0) deadlines_.insert({job.view.deadline_ms, job.view.id});
  Event event;
  event.id = job.view.id;
  event.version = job.view.version;
  event.epoch = job.view.epoch;
  event.state = state;
  event.step = job.view.step;
  event.worker = job.view.worker;
  events_.Publish(event);
}

void MemoryQueue::MakeReady(Job& job, bool at_head) {
  TenantRing& ring = ready_[{job.view.model, static_cast<int>(job.view.priority)}];
  if (at_head) {
    ring.PushFront(job.view.tenant, job.view.id);
  } else {
    ring.PushBack(job.view.tenant, job.view.id);
  }
  job.view.worker.clear();
  EnterState(job, State::kQueued);
  ++bells_;
}

void MemoryQueue::Seal(Job& job, State want, const std::string& reason, const std::string& code) {
  LeaveIndex(job);
  job.want = want;
  job.view.reason = reason;
  job.view.code = code;
  job.index_ms = clock_.WallMillis();
  seals_.insert({job.index_ms, job.view.id});
  EnterState(job, State::kSealing);
}

void MemoryQueue::Finish(Job& job, State state) {
  LeaveIndex(job);
  if (live_.erase(job.view.id) > 0) {
    const auto open = open_by_tenant_.find(job.view.tenant);
    if (--open->second == 0) open_by_tenant_.erase(open);
  }
  if (state == State::kDead) dead_.insert(job.view.id);
  EnterState(job, state);
  job.forget_ms = job.view.changed_ms + job.keep.count();
}

void MemoryQueue::TakeBack(Job& job) {
  ++job.view.crashes;
  if (!job.node.empty()) job.crashed_nodes.insert(job.node);
  job.view.step = job.checkpoint_step;
  job.view.reason = "a worker was lost while it ran the job";
  job.view.code = "UNAVAILABLE";
  const bool guilty = job.crashed_nodes.size() >= 2 || job.view.crashes >= 2 * limits_.max_crashes;
  job.solo = true;
  if (job.view.crashes >= limits_.max_crashes && guilty) {
    Seal(job, State::kDead,
         "WORKER_LOST: " + std::to_string(job.view.crashes) +
             " workers were lost while they ran "
             "the job",
         "ABORTED");
  } else {
    LeaveIndex(job);
    MakeReady(job, /*at_head=*/true);
  }
}

int MemoryQueue::Sweep(int promotions, int recoveries, int expiries) {
  const int64_t now = clock_.WallMillis();
  int moved = 0;
  const auto due = [now](const TimeIndex& index) {
    return !index.empty() && index.begin()->first <= now;
  };
  for (; promotions > 0 && due(delays_); --promotions, ++moved) {
    Job& job = jobs_.at(delays_.begin()->second);
    LeaveIndex(job);
    MakeReady(job, /*at_head=*/true);
  }
  for (; recoveries > 0 && due(leases_); --recoveries, ++moved) {
    TakeBack(jobs_.at(leases_.begin()->second));
  }
  for (; expiries > 0 && due(deadlines_); --expiries, ++moved) {
    Seal(jobs_.at(deadlines_.begin()->second), State::kExpired,
         "the deadline passed before a worker was free", "DEADLINE_EXCEEDED");
  }
  return moved;
}

std::vector<std::string> MemoryQueue::Violations() {
  MutexLock lock(&mu_);
  std::vector<std::string> found;
  std::map<std::string, int64_t> open;
  size_t indexed = 0;
  for (auto& [id, job] : jobs_) {
    const State state = job.view.state;
    const bool live = !job::IsTerminal(state);
    if (live != (live_.count(id) > 0)) found.push_back(id + ": live index disagrees");
    if (live) ++open[job.view.tenant];
    const auto expect = [&](bool in_index, State wanted, const std::string& name) {
      if (in_index != (state == wanted)) found.push_back(id + ": " + name + " disagrees");
      if (in_index) ++indexed;
    };
    const ModelClass key{job.view.model, static_cast<int>(job.view.priority)};
    expect(ready_[key].Contains(id), State::kQueued, "ready list");
    expect(leases_.count({job.index_ms, id}) > 0, State::kLeased, "lease index");
    expect(delays_.count({job.index_ms, id}) > 0, State::kWaiting, "delay index");
    expect(seals_.count({job.index_ms, id}) > 0, State::kSealing, "seal index");
    expect(dead_.count(id) > 0, State::kDead, "dead letters");
  }
  if (indexed != live_.size() + dead_.size()) found.push_back("an index has a leftover");
  if (open != open_by_tenant_) found.push_back("tenant counters disagree");
  return found;
}

}  // namespace phasor::queue
