// MemoryQueue's jobs and indexes: a job that is not terminal is live and in exactly the index that
// its state names.

#include <algorithm>

#include "common/queue/memory/memory_queue.h"

namespace phasor::queue {
namespace {

constexpr int64_t kExactPositions = 256;

// Where the job stands in the index of its state.
int64_t IndexTime(const job::Snapshot& life, int64_t changed_ms, int64_t seal_ms) {
  switch (life.state) {
    case State::kWaiting:
      return life.ready_ms;
    case State::kLeased:
      return life.lease_end_ms;
    case State::kSealing:
      return seal_ms;
    case State::kQueued:
    case State::kDone:
    case State::kDead:
    case State::kCanceled:
    case State::kExpired:
      return changed_ms;
  }
  return changed_ms;
}

bool Waits(State state) { return state == State::kQueued || state == State::kWaiting; }

void Decrement(std::map<std::string, int64_t>* counters, const std::string& name) {
  const auto counter = counters->find(name);
  if (--counter->second == 0) counters->erase(counter);
}

}  // namespace

MemoryQueue::Job* MemoryQueue::Find(const JobId& id, const Caller& caller) {
  Job* const job = Find(id);
  return job != nullptr && caller.Sees(job->request.tenant) ? job : nullptr;
}

MemoryQueue::Job* MemoryQueue::Find(const JobId& id) {
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return nullptr;
  Job& job = found->second;
  if (job.forget_ms == 0 || job.forget_ms > clock_.WallMillis()) return &job;
  Erase(job);
  return nullptr;
}

void MemoryQueue::Erase(const Job& job) {
  const JobId id = job.request.id;
  by_sequence_.erase(job.sequence);
  dead_.erase(job.death);
  ended_.erase({job.forget_ms, id});
  forgotten_.insert(id);
  jobs_.erase(id);
}

job::LifecycleLimits MemoryQueue::Lifecycle() const {
  return {.max_tries = limits_.max_tries,
          .max_crashes = limits_.max_crashes,
          .max_preemptions = limits_.max_preemptions,
          .stall = limits_.stall};
}

std::optional<job::Transition> MemoryQueue::Next(const Job& job, const job::Event& event) {
  return job::Next(job.life, event, clock_.WallMillis(), Lifecycle());
}

bool MemoryQueue::Apply(Job& job, const job::Event& event) {
  std::optional<job::Transition> transition = Next(job, event);
  if (!transition) return false;
  Move(job, *std::move(transition));
  return true;
}

void MemoryQueue::Move(Job& job, job::Transition transition) {
  const State before = job.life.state;
  const bool stays = transition.next.state == before;
  LeaveIndex(job);
  job.life = std::move(transition.next);
  if (!transition.reason.empty()) job.reason = std::move(transition.reason);
  if (!transition.code.empty()) job.code = std::move(transition.code);
  if (!stays) {
    job.changed_ms = job.seal_ms = clock_.WallMillis();
    if (!job::IsTerminal(job.life.state)) job.step = job.checkpoint_step;
    if (Waits(job.life.state)) job.worker.clear();
  }
  EnterIndex(job, /*at_head=*/!transition.at_tail);
  if (before == State::kLeased && !stays) Unpark(job.request.tenant);
  if (!stays) Announce(job);
}

MemoryQueue::TimeIndex* MemoryQueue::IndexOf(State state) {
  switch (state) {
    case State::kWaiting:
      return &delays_;
    case State::kLeased:
      return &leases_;
    case State::kSealing:
      return &seals_;
    case State::kQueued:
    case State::kDone:
    case State::kDead:
    case State::kCanceled:
    case State::kExpired:
      return nullptr;
  }
  return nullptr;
}

void MemoryQueue::LeaveIndex(const Job& job) {
  const SubmitRequest& request = job.request;
  const State state = job.life.state;
  if (TimeIndex* index = IndexOf(state)) {
    index->erase({IndexTime(job.life, job.changed_ms, job.seal_ms), request.id});
  }
  if (state == State::kQueued) {
    ready_[{request.model, static_cast<int>(request.priority)}].Remove(request.tenant, request.id);
  }
  if (state == State::kLeased) {
    by_nonce_.erase(job.nonce);
    Decrement(&running_by_tenant_, request.tenant);
  }
  if (state == State::kDead) dead_.erase(job.death);
  if (job::IsTerminal(state)) ended_.erase({job.forget_ms, request.id});
  if (Waits(state)) deadlines_.erase({job.life.deadline_ms, request.id});
}

void MemoryQueue::EnterIndex(Job& job, bool at_head) {
  const SubmitRequest& request = job.request;
  const State state = job.life.state;
  if (TimeIndex* index = IndexOf(state)) {
    index->insert({IndexTime(job.life, job.changed_ms, job.seal_ms), request.id});
  }
  if (state == State::kQueued) {
    TenantRing& ring = ready_[{request.model, static_cast<int>(request.priority)}];
    if (at_head) {
      ring.PushFront(request.tenant, request.id);
    } else {
      ring.PushBack(request.tenant, request.id);
    }
    ++bells_;
  }
  if (state == State::kLeased) {
    by_nonce_[job.nonce] = request.id;
    ++running_by_tenant_[request.tenant];
  }
  if (Waits(state) && job.life.deadline_ms > 0) {
    deadlines_.insert({job.life.deadline_ms, request.id});
  }
  if (!job::IsTerminal(state)) return;
  if (live_.erase(request.id) > 0) Decrement(&open_by_tenant_, request.tenant);
  job.forget_ms = clock_.WallMillis() + request.keep.count();
  ended_.insert({job.forget_ms, request.id});
  if (state == State::kDead) {
    job.death = ++sequence_;
    dead_[job.death] = request.id;
    TrimDead();
  }
}

void MemoryQueue::Announce(Job& job) {
  job.phase = Phase::kNone;
  ++job.version;
  Event event;
  event.id = job.request.id;
  event.version = job.version;
  event.epoch = job.life.epoch;
  event.state = job.life.state;
  event.step = job.step;
  event.worker = job.worker;
  events_.Publish(event);
}

void MemoryQueue::TrimDead() {
  while (static_cast<int64_t>(dead_.size()) > limits_.max_dead) dead_.erase(dead_.begin());
}

void MemoryQueue::Unpark(const std::string& tenant) {
  for (auto& [key, ring] : ready_) {
    const size_t before = ring.tenants().size();
    ring.Unpark(tenant);
    if (ring.tenants().size() > before) ++bells_;
  }
}

int64_t MemoryQueue::PositionOf(const Job& job) {
  if (job.life.state != State::kQueued) return -1;
  const SubmitRequest& request = job.request;
  const auto& list =
      *ready_[{request.model, static_cast<int>(request.priority)}].List(request.tenant);
  const auto end = list.begin() + std::min<ptrdiff_t>(list.size(), kExactPositions);
  const auto found = std::find(list.begin(), end, request.id);
  return found == end ? static_cast<int64_t>(list.size()) : found - list.begin();
}

JobView MemoryQueue::ViewOf(const Job& job) {
  JobView view;
  view.id = job.request.id;
  view.state = job.life.state;
  view.phase = job.phase;
  view.priority = job.request.priority;
  view.model = job.request.model;
  view.tenant = job.request.tenant;
  view.epoch = job.life.epoch;
  view.tries = job.life.tries;
  view.crashes = job.life.crashes;
  view.step = job.step;
  view.enqueued_ms = job.enqueued_ms;
  view.changed_ms = job.changed_ms;
  view.started_ms = job.started_ms;
  view.deadline_ms = job.life.deadline_ms;
  view.version = job.version;
  view.worker = job.worker;
  view.result = job.result;
  view.reason = job.reason;
  view.code = job.code;
  view.shared = job.shared;
  return view;
}

std::vector<std::string> MemoryQueue::Violations() {
  MutexLock lock(&mu_);
  std::vector<std::string> found;
  Counters open;
  Counters running;
  size_t indexed = 0;
  for (auto& [id, job] : jobs_) {
    const State state = job.life.state;
    const bool live = !job::IsTerminal(state);
    if (live != (live_.count(id) > 0)) found.push_back(id + ": live index disagrees");
    if (live) ++open[job.request.tenant];
    if (state == State::kLeased) ++running[job.request.tenant];
    const auto expect = [&](bool in_index, State wanted, const std::string& name) {
      if (in_index != (state == wanted)) found.push_back(id + ": " + name + " disagrees");
      if (in_index) ++indexed;
    };
    const std::pair<int64_t, JobId> entry(IndexTime(job.life, job.changed_ms, job.seal_ms), id);
    const ModelClass key{job.request.model, static_cast<int>(job.request.priority)};
    expect(ready_[key].Contains(id), State::kQueued, "ready list");
    expect(leases_.count(entry) > 0, State::kLeased, "lease index");
    expect(delays_.count(entry) > 0, State::kWaiting, "delay index");
    expect(seals_.count(entry) > 0, State::kSealing, "seal index");
    if (live == (ended_.count({job.forget_ms, id}) > 0)) found.push_back(id + ": ended disagrees");
    const bool listed_dead = dead_.count(job.death) > 0;
    if (listed_dead && state != State::kDead) found.push_back(id + ": dead letters disagree");
  }
  if (indexed != live_.size()) found.push_back("an index has a leftover");
  if (open != open_by_tenant_) found.push_back("counters of open jobs disagree");
  if (running != running_by_tenant_) found.push_back("counters of running jobs disagree");
  return found;
}

}  // namespace phasor::queue
