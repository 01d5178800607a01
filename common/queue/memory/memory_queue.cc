#include "common/queue/memory/memory_queue.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "common/queue/request_checks.h"

namespace phasor::queue {
namespace {

constexpr int kMaxPage = 1000;

bool Matches(const ListRequest& request, const JobView& view) {
  if (!request.tenant.empty() && view.tenant != request.tenant) return false;
  if (!request.model.empty() && view.model != request.model) return false;
  const auto& states = request.states;
  return states.empty() || std::find(states.begin(), states.end(), view.state) != states.end();
}

}  // namespace

std::optional<SubmitReply> MemoryQueue::Refusal(const std::string& tenant) {
  SubmitReply reply;
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
  const auto open = open_by_tenant_.find(tenant);
  if ((open == open_by_tenant_.end() ? 0 : open->second) >= *LimitsOf(tenant).max_open) {
    reply.full = "tenant";
    return reply;
  }
  return std::nullopt;
}

std::optional<SubmitReply> MemoryQueue::QuotaRefusal(const std::string& tenant,
                                                     const Spend& spend) {
  const TenantLimits limits = LimitsOf(tenant);
  const int64_t now = clock_.WallMillis();
  Usage& usage = usage_[tenant];
  if (usage.minute != now / kQuotaWindow.count()) usage = {now / kQuotaWindow.count(), {}};
  const struct {
    const char* name;
    int64_t most;
    int64_t used;
  } quotas[] = {{"pixel_steps", *limits.pixel_steps, usage.spend.pixel_steps},
                {"prompt_bytes", *limits.prompt_bytes, usage.spend.prompt_bytes},
                {"result_bytes", *limits.result_bytes, usage.spend.result_bytes}};
  for (const auto& quota : quotas) {
    if (quota.most >= kNoQuota || quota.used < quota.most) continue;
    SubmitReply reply;
    reply.outcome = SubmitOutcome::kFull;
    reply.full = quota.name;
    reply.retry_after = kQuotaWindow * (usage.minute + 1) - Millis(now);
    return reply;
  }
  usage.spend.pixel_steps += spend.pixel_steps;
  usage.spend.prompt_bytes += spend.prompt_bytes;
  usage.spend.result_bytes += spend.result_bytes;
  return std::nullopt;
}

void MemoryQueue::Create(Job job) {
  job.sequence = ++sequence_;
  job.enqueued_ms = job.changed_ms = clock_.WallMillis();
  const JobId id = job.request.id;
  by_sequence_[job.sequence] = id;
  live_.insert(id);
  ++open_by_tenant_[job.request.tenant];
  job.version = 1;
  Job& created = jobs_.emplace(id, std::move(job)).first->second;
  EnterIndex(created, /*at_head=*/false);
}

void MemoryQueue::DeclareWhole() {
  MutexLock lock(&mu_);
  whole_ = true;
}

StatusOr<SubmitReply> MemoryQueue::Submit(const SubmitRequest& request) {
  RETURN_IF_ERROR(CheckSubmit(request));
  MutexLock lock(&mu_);
  if (Job* known = Find(request.id); known != nullptr) {
    const bool same = known->request.fingerprint == request.fingerprint;
    known->shared = known->shared || same;
    SubmitReply reply;
    reply.outcome = same ? SubmitOutcome::kDuplicate : SubmitOutcome::kConflict;
    reply.state = known->life.state;
    return reply;
  }
  if (request.unless_forgotten && (!whole_ || forgotten_.count(request.id) > 0)) {
    SubmitReply reply;
    reply.outcome = SubmitOutcome::kUnknown;
    return reply;
  }
  if (const auto refusal = Refusal(request.tenant)) return *refusal;
  if (const auto refusal = QuotaRefusal(request.tenant, request.spend)) return *refusal;
  Job job;
  job.request = request;
  if (request.deadline_in.count() > 0) {
    job.request.deadline_ms = clock_.WallMillis() + request.deadline_in.count();
  }
  job.life.deadline_ms = job.request.deadline_ms;
  Create(std::move(job));
  return SubmitReply{};
}

StatusOr<RedriveReply> MemoryQueue::Redrive(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  ASSIGN_OR_RETURN(const JobId next, NextGeneration(id));
  MutexLock lock(&mu_);
  const Job* dead = Find(id, caller);
  if (dead == nullptr) return NotFound("no job " + id);
  if (const Job* known = Find(next)) return RedriveReply{next, known->life.state};
  const auto transition = Next(*dead, job::Redriven{});
  if (!transition) return NotDead(id, dead->life.state);
  if (const auto refusal = Refusal(dead->request.tenant)) return ToStatus(*refusal);
  Job job;
  job.life = transition->next;
  job.request = dead->request;
  job.request.id = next;
  Create(std::move(job));
  return RedriveReply{next, State::kQueued};
}

StatusOr<State> MemoryQueue::Cancel(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  MutexLock lock(&mu_);
  Job* job = Find(id, caller);
  if (job == nullptr) return NotFound("no job " + id);
  Apply(*job, job::Canceled{});
  return job->life.state;
}

StatusOr<JobView> MemoryQueue::Get(const JobId& id, const Caller& caller) {
  RETURN_IF_ERROR(CheckId(id));
  MutexLock lock(&mu_);
  const Job* job = Find(id, caller);
  if (job == nullptr) return NotFound("no job " + id);
  JobView view = ViewOf(*job);
  view.position = PositionOf(*job);
  view.spec = job->request.spec;
  return view;
}

StatusOr<ListReply> MemoryQueue::List(const ListRequest& request) {
  const int limit = std::clamp(request.limit, 1, kMaxPage);
  int64_t before = 0;
  if (!request.page.empty()) {
    before = std::strtoll(request.page.c_str(), nullptr, 10);
    if (before <= 0) return InvalidArgument("page is no token of this queue");
  }
  MutexLock lock(&mu_);
  const bool dead_alone = request.states == std::vector<State>{State::kDead};
  const std::map<int64_t, JobId>& index = dead_alone ? dead_ : by_sequence_;
  ListReply reply;
  auto next = before > 0 ? index.lower_bound(before) : index.end();
  while (next != index.begin()) {
    --next;
    const int64_t place = next->first;
    const Job* job = Find(next->second);
    if (job == nullptr) {  // Find has forgotten it, and with it the entry.
      next = index.lower_bound(place);
      continue;
    }
    JobView view = ViewOf(*job);
    if (!Matches(request, view)) continue;
    reply.jobs.push_back(std::move(view));
    if (static_cast<int>(reply.jobs.size()) == limit) {
      if (next != index.begin()) reply.next_page = std::to_string(place);
      break;
    }
  }
  return reply;
}

TenantLimits MemoryQueue::LimitsOf(const std::string& tenant) const {
  const auto own = tenant_limits_.find(tenant);
  TenantLimits limits = own == tenant_limits_.end() ? TenantLimits{} : own->second;
  const int64_t cap = tenant.empty() ? std::numeric_limits<int64_t>::max() : limits_.max_per_tenant;
  limits.max_open = limits.max_open.value_or(cap);
  limits.max_running = limits.max_running.value_or(limits_.max_running_per_tenant);
  limits.weight = limits.weight.value_or(1);
  const auto quota = [&](const std::optional<int64_t>& own_one, int64_t each) {
    return own_one.value_or(tenant.empty() ? kNoQuota : each);
  };
  limits.pixel_steps = quota(limits.pixel_steps, limits_.pixel_steps_per_tenant);
  limits.prompt_bytes = quota(limits.prompt_bytes, limits_.prompt_bytes_per_tenant);
  limits.result_bytes = quota(limits.result_bytes, limits_.result_bytes_per_tenant);
  return limits;
}

Status MemoryQueue::SetLimits(const QueueLimits& limits) {
  RETURN_IF_ERROR(CheckLimits(limits));
  MutexLock lock(&mu_);
  limits_ = limits;
  TrimDead();
  for (const auto& [tenant, open] : open_by_tenant_) Unpark(tenant);
  return OkStatus();
}

StatusOr<QueueLimits> MemoryQueue::Limits() {
  MutexLock lock(&mu_);
  return limits_;
}

Status MemoryQueue::SetTenantLimits(const std::string& tenant, const TenantLimits& limits) {
  RETURN_IF_ERROR(CheckTenantLimits(tenant, limits));
  MutexLock lock(&mu_);
  tenant_limits_[tenant] = limits;
  Unpark(tenant);
  return OkStatus();
}

Status MemoryQueue::SetPaused(bool paused) {
  MutexLock lock(&mu_);
  paused_ = paused;
  if (!paused) bells_ += static_cast<int64_t>(live_.size());
  return OkStatus();
}

Status MemoryQueue::Publish(const Event& event) {
  events_.Publish(event);
  return OkStatus();
}

std::unique_ptr<Subscription> MemoryQueue::Subscribe(std::function<void(const Event&)> on_event) {
  return events_.Subscribe(std::move(on_event));
}

}  // namespace phasor::queue
