// The queue inside one process: the shipped fake for tests and for a gateway and worker that live
// together. States, order and answers are those of the Redis adapter; nothing survives the
// process. What becomes of a job is decided by common/job/lifecycle.h, who is next by order.h.
//
// Thread-safe: one mutex. Time comes from the injected clock, except that WaitForWork waits in
// real time. The parts: memory_queue.cc (producer, control), memory_queue_take.cc (consumer),
// memory_queue_upkeep.cc (maintenance), memory_queue_index.cc (jobs and indexes).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/job/lifecycle.h"
#include "common/queue/memory/memory_events.h"
#include "common/queue/order.h"
#include "common/queue/queue.h"

namespace phasor::queue {

class MemoryQueue final : public Producer,
                          public Consumer,
                          public Maintenance,
                          public Control,
                          public EventChannel {
 public:
  // `clock` must outlive the queue.
  explicit MemoryQueue(const Clock& clock) : clock_(clock) {}

  StatusOr<SubmitReply> Submit(const SubmitRequest& request) override;
  StatusOr<State> Cancel(const JobId& id, const Caller& caller) override;
  StatusOr<JobView> Get(const JobId& id, const Caller& caller) override;
  StatusOr<ListReply> List(const ListRequest& request) override;
  StatusOr<RedriveReply> Redrive(const JobId& id, const Caller& caller) override;

  StatusOr<std::optional<Grant>> Take(const TakeRequest& request) override;
  void WaitForWork(Millis timeout) override;
  StatusOr<OwnerAnswer> Renew(const RenewRequest& request) override;
  StatusOr<OwnerAnswer> Complete(const Fence& fence, const std::string& result) override;
  StatusOr<FailOutcome> Fail(const Failure& failure) override;
  StatusOr<OwnerAnswer> Release(const Fence& fence, const std::string& checkpoint,
                                int step) override;

  StatusOr<int> Recover(int limit) override;
  StatusOr<std::vector<SealRequest>> PendingSeals(int limit) override;
  Status Adopt(const JobId& id, State state, const std::string& result) override;
  StatusOr<QueueStats> Stats() override;
  // Nothing can get lost in here: looks at the jobs page by page and repairs nothing.
  StatusOr<AuditReport> Audit(const std::string& cursor, int limit) override;
  StatusOr<std::vector<Preemption>> Preempt(int limit) override;
  StatusOr<int> Forget(int limit) override;

  Status SetLimits(const QueueLimits& limits) override;
  StatusOr<QueueLimits> Limits() override;
  Status SetTenantLimits(const std::string& tenant, const TenantLimits& limits) override;
  Status SetPaused(bool paused) override;

  Status Publish(const Event& event) override;
  std::unique_ptr<Subscription> Subscribe(std::function<void(const Event&)> on_event) override;

  // There was no job before this queue. Otherwise it can't say of any that there never was one.
  void DeclareWhole();

  // What is wrong with the indexes, one sentence each; empty in a correct queue. For tests.
  std::vector<std::string> Violations();

 private:
  struct Job {
    job::Snapshot life;
    SubmitRequest request;
    bool shared = false;  // more than one submit has named it
    int64_t sequence = 0;
    int64_t enqueued_ms = 0;
    int64_t changed_ms = 0;  // the last transition
    int64_t started_ms = 0;  // the last take
    int64_t version = 0;
    Phase phase = Phase::kNone;
    int step = 0;
    std::string worker;
    std::string result;
    std::string reason;
    std::string code;
    std::string nonce;       // of the newest owner
    std::string back_nonce;  // of the owner that gave the job back last
    Millis lease{0};
    std::set<std::string> models;  // that the owner's worker can run
    std::string checkpoint;
    int checkpoint_step = 0;
    int64_t death = 0;      // kDead: its place in the order of deaths
    int64_t forget_ms = 0;  // terminal: when the record goes
    int64_t seal_ms = 0;    // kSealing: from when on the next caller may seal it
  };
  using TimeIndex = std::set<std::pair<int64_t, JobId>>;
  using ModelClass = std::pair<std::string, int>;
  using Counters = std::map<std::string, int64_t>;

  // Jobs and indexes.
  Job* Find(const JobId& id) REQUIRES_LOCK(mu_);
  // Null also if the caller does not see it.
  Job* Find(const JobId& id, const Caller& caller) REQUIRES_LOCK(mu_);
  void Erase(const Job& job) REQUIRES_LOCK(mu_);
  job::LifecycleLimits Lifecycle() const REQUIRES_LOCK(mu_);
  std::optional<job::Transition> Next(const Job& job, const job::Event& event) REQUIRES_LOCK(mu_);
  // What the event leads to; false: to nothing.
  bool Apply(Job& job, const job::Event& event) REQUIRES_LOCK(mu_);
  void Move(Job& job, job::Transition transition) REQUIRES_LOCK(mu_);
  void LeaveIndex(const Job& job) REQUIRES_LOCK(mu_);
  void EnterIndex(Job& job, bool at_head) REQUIRES_LOCK(mu_);
  TimeIndex* IndexOf(State state) REQUIRES_LOCK(mu_);
  void Announce(Job& job) REQUIRES_LOCK(mu_);
  void TrimDead() REQUIRES_LOCK(mu_);
  void Unpark(const std::string& tenant) REQUIRES_LOCK(mu_);
  int64_t PositionOf(const Job& job) REQUIRES_LOCK(mu_);
  JobView ViewOf(const Job& job) REQUIRES_LOCK(mu_);

  // Submitting.
  std::optional<SubmitReply> Refusal(const std::string& tenant) REQUIRES_LOCK(mu_);
  // The quota that is used up; nullopt: none is, and `spend` is counted.
  std::optional<SubmitReply> QuotaRefusal(const std::string& tenant, const Spend& spend)
      REQUIRES_LOCK(mu_);
  void Create(Job job) REQUIRES_LOCK(mu_);
  // With the defaults for what it has not of its own: none is absent.
  TenantLimits LimitsOf(const std::string& tenant) const REQUIRES_LOCK(mu_);
  // Jobs that the tenant may have running beyond those that do.
  int64_t RoomOf(const std::string& tenant) const REQUIRES_LOCK(mu_);

  // Taking.
  struct Choice {
    std::string model;
    int cls = 0;
    bool aged = false;
    std::vector<std::string> passed_over;
  };
  std::vector<std::string> ModelsWithJobs(const std::vector<std::string>& models, int cls)
      REQUIRES_LOCK(mu_);
  int64_t HeadWait(const std::string& model, int cls) REQUIRES_LOCK(mu_);
  std::optional<int> OverdueClass(const std::vector<std::string>& models) REQUIRES_LOCK(mu_);
  std::optional<Choice> Choose(const std::vector<std::string>& models) REQUIRES_LOCK(mu_);
  std::optional<std::string> PickTenant(const Choice& choice) REQUIRES_LOCK(mu_);
  // nullopt: the job's deadline has passed.
  std::optional<Grant> TakeChosen(const TakeRequest& request, const Choice& choice,
                                  const std::string& tenant) REQUIRES_LOCK(mu_);
  Grant GrantOf(const Job& job) const REQUIRES_LOCK(mu_);
  bool IsOwner(const Job& job, const Fence& fence) const REQUIRES_LOCK(mu_);
  OwnerAnswer AnswerToStranger(const Job* job, const Fence& fence) const REQUIRES_LOCK(mu_);

  // Upkeep.
  int Sweep(int promotions, int recoveries, int expiries) REQUIRES_LOCK(mu_);
  std::vector<ModelClass> WaitingTooLong(size_t limit) REQUIRES_LOCK(mu_);
  std::vector<Job*> VictimsInOrder() REQUIRES_LOCK(mu_);

  const Clock& clock_;
  MemoryEvents events_;

  Mutex mu_;
  std::map<JobId, Job> jobs_ GUARDED_BY(mu_);
  std::map<int64_t, JobId> by_sequence_ GUARDED_BY(mu_);
  std::map<ModelClass, TenantRing> ready_ GUARDED_BY(mu_);
  TimeIndex leases_ GUARDED_BY(mu_);
  TimeIndex delays_ GUARDED_BY(mu_);
  TimeIndex seals_ GUARDED_BY(mu_);
  TimeIndex deadlines_ GUARDED_BY(mu_);  // of jobs that wait
  std::set<JobId> live_ GUARDED_BY(mu_);
  TimeIndex ended_ GUARDED_BY(mu_);                // by when they are forgotten
  std::map<int64_t, JobId> dead_ GUARDED_BY(mu_);  // in the order of their deaths
  bool whole_ GUARDED_BY(mu_) = false;
  std::set<JobId> forgotten_ GUARDED_BY(mu_);
  Counters open_by_tenant_ GUARDED_BY(mu_);
  Counters running_by_tenant_ GUARDED_BY(mu_);
  std::map<std::string, JobId> by_nonce_ GUARDED_BY(mu_);
  ClassStride stride_ GUARDED_BY(mu_);
  std::map<ModelClass, int> passed_over_ GUARDED_BY(mu_);
  QueueLimits limits_ GUARDED_BY(mu_);
  std::map<std::string, TenantLimits> tenant_limits_ GUARDED_BY(mu_);
  // What tenants with quotas have used in a minute.
  struct Usage {
    int64_t minute = 0;
    Spend spend;
  };
  std::map<std::string, Usage> usage_ GUARDED_BY(mu_);
  bool paused_ GUARDED_BY(mu_) = false;
  int64_t sequence_ GUARDED_BY(mu_) = 0;
  int64_t bells_ GUARDED_BY(mu_) = 0;
  int64_t audit_due_ms_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::queue
