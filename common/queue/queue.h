// The queue's ports, one per role: who submits, who works, who keeps the queue in order, who sets
// its limits, who listens. Implemented by MemoryQueue (tests, single process) and RedisQueue; one
// contract suite (common/queue/contract/queue_contract.h) runs against both.
//
// All implementations are thread-safe and block the caller for at most the adapter's time limit.
// Errors: UNAVAILABLE (the outcome is unknown: repeat with the same arguments, every call is safe
// to repeat), RESOURCE_EXHAUSTED (the store's memory is full; nothing happened),
// INVALID_ARGUMENT (malformed id). What the protocol itself decides is an outcome, not an error.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/queue/types.h"

namespace phasor::queue {

class Producer {
 public:
  virtual ~Producer() = default;
  virtual StatusOr<SubmitReply> Submit(const SubmitRequest& request) = 0;
  // As Submit for each, element i for request i; adapters do it in one round trip.
  virtual std::vector<StatusOr<SubmitReply>> SubmitAll(const std::vector<SubmitRequest>& requests) {
    std::vector<StatusOr<SubmitReply>> replies;
    for (const SubmitRequest& request : requests) replies.push_back(Submit(request));
    return replies;
  }
  // Ends a non-terminal job as CANCELED; its terminal record has been won before. Returns the
  // job's state afterwards; NOT_FOUND if unknown, or if the caller does not see it.
  virtual StatusOr<State> Cancel(const JobId& id, const Caller& caller) = 0;
  // NOT_FOUND if unknown or forgotten, or if the caller does not see it.
  virtual StatusOr<JobView> Get(const JobId& id, const Caller& caller) = 0;
  // Whom it is for is in the request.
  virtual StatusOr<ListReply> List(const ListRequest& request) = 0;
  // Runs a dead letter again, alone, as the next generation of its id ("<id>#2", then "#3" ...)
  // with the same spec and no deadline; the dead one stays what it is. Repeating it names the same
  // job. NOT_FOUND if unknown or if the caller does not see it, FAILED_PRECONDITION unless DEAD,
  // RESOURCE_EXHAUSTED over a cap, UNAVAILABLE while paused.
  virtual StatusOr<RedriveReply> Redrive(const JobId& id, const Caller& caller) = 0;
};

class Consumer {
 public:
  virtual ~Consumer() = default;
  // The next job by class, age, tenant and model; nullopt when there is none. The same nonce
  // again gives the same grant while it is still held.
  virtual StatusOr<std::optional<Grant>> Take(const TakeRequest& request) = 0;
  // Blocks until a job may have arrived, or `timeout`. Only a hint, to be called after a Take
  // that found nothing: poll again after a second at most.
  virtual void WaitForWork(Millis timeout) = 0;
  // Complete and then Take, whatever the former answers; adapters do it in one round trip.
  virtual StatusOr<NextJob> CompleteAndTake(const Completion& done, const TakeRequest& request) {
    ASSIGN_OR_RETURN(const OwnerAnswer answer, Complete(done.fence, done.result));
    ASSIGN_OR_RETURN(std::optional<Grant> grant, Take(request));
    return NextJob{answer, std::move(grant)};
  }
  // The first renewal says, too, that the grant has come: a lease that ends without one is no lost
  // worker, job::kFreeSilences times for each job.
  virtual StatusOr<OwnerAnswer> Renew(const RenewRequest& request) = 0;
  // After the terminal record was won or read. `result` is its pointer.
  virtual StatusOr<OwnerAnswer> Complete(const Fence& fence, const std::string& result) = 0;
  // A job that is to be tried again goes to the tail of its list, after the delay; one whose worker
  // is lost to the head.
  virtual StatusOr<FailOutcome> Fail(const Failure& failure) = 0;
  // Gives the job back to the head of its list; no counter moves. `step` is the checkpoint's; an
  // empty checkpoint leaves the known one.
  virtual StatusOr<OwnerAnswer> Release(const Fence& fence, const std::string& checkpoint,
                                        int step) = 0;
};

// A job whose end was decided by the queue and whose terminal record is still to be written.
struct SealRequest {
  JobId id;
  State want = State::kDead;  // kDead or kExpired
  std::string reason;         // a sentence for the user
  std::string code;           // status code name, e.g. "DEADLINE_EXCEEDED"
  int64_t epoch = 0;          // of the last owner, 0: none
};

class Maintenance {
 public:
  virtual ~Maintenance() = default;
  // Takes back jobs whose lease is over, to the head of their lists, promotes those whose delay is
  // and seals those that wait past their deadline; at most `limit` each, and kMaxMoved. Returns how
  // many jobs moved.
  virtual StatusOr<int> Recover(int limit) = 0;
  // Jobs that wait for their terminal record, oldest first, at most `limit` and kMaxSeals. Whoever
  // gets one is to seal it: nobody else gets it for kSealClaim.
  virtual StatusOr<std::vector<SealRequest>> PendingSeals(int limit) = 0;
  // A terminal record exists: the queue takes over what it says, whatever it thought before.
  // NOT_FOUND if the queue does not know the job.
  virtual Status Adopt(const JobId& id, State state, const std::string& result) = 0;
  virtual StatusOr<QueueStats> Stats() = 0;
  // Some part of a round that compares every job with the indexes and puts back what is missing,
  // drops what is too much and counts anew; looks at about `limit` entries. Any number of callers
  // may audit; they share a round. kAuditDue does what is due now at the pace that the queue keeps
  // for all callers together, and is over when it has looked at nothing: what moves again and
  // again, history rarely. To look at once, whatever it costs, begin with "" for the jobs that have
  // not ended, or with kAuditEverything for all and those that no index knows, and go on with
  // next_cursor until that is empty.
  virtual StatusOr<AuditReport> Audit(const std::string& cursor, int limit) = 0;
  // Asks running jobs to make room: for each ready job that has waited too long, one of a strictly
  // lower class whose worker can run the other's model. Never more at once than such jobs wait.
  // Returns those that were asked and still run, at most `limit`, while anybody waits; the owner
  // hears of it at its next Renew, so telling it is a hint that saves time.
  virtual StatusOr<std::vector<Preemption>> Preempt(int limit) = 0;
  // Forgets at most `limit` jobs that ended: those whose time is over, then the oldest where there
  // are more than QueueLimits allows. Returns how many; what it leaves is for the next call.
  virtual StatusOr<int> Forget(int limit) = 0;
};

// Cursors for Maintenance::Audit.
inline constexpr char kAuditEverything[] = "everything";
inline constexpr char kAuditDue[] = "due";
// How long a job that is to be sealed is one caller's.
inline constexpr Millis kSealClaim{5'000};
// One call moves no more jobs of each kind, and names no more that are to be sealed, than this.
inline constexpr int kMaxMoved = 32;
inline constexpr int kMaxSeals = 64;
// One call forgets no more than this.
inline constexpr int kMaxForget = 256;
// One call looks at no more entries, and asks no more jobs to make room, than this.
inline constexpr int kMaxAudit = 1'000;
inline constexpr int kMaxPreemptions = 64;

class Control {
 public:
  virtual ~Control() = default;
  virtual Status SetLimits(const QueueLimits& limits) = 0;
  virtual StatusOr<QueueLimits> Limits() = 0;
  // Replaces all that was set for the tenant.
  virtual Status SetTenantLimits(const std::string& tenant, const TenantLimits& limits) = 0;
  // A paused queue takes no jobs and hands none out; what runs goes on.
  virtual Status SetPaused(bool paused) = 0;
};

// Ends when destroyed; then no callback runs any more.
class Subscription {
 public:
  virtual ~Subscription() = default;
};

// Progress and state changes, lossy. The queue itself publishes every change of state but the
// submit, for which nobody can have listened; progress and previews are for the callers to publish.
// One subscription per gateway serves all its watchers.
class EventChannel {
 public:
  virtual ~EventChannel() = default;
  virtual Status Publish(const Event& event) = 0;
  // `on_event` is called on a thread of the channel and must not block. The subscription ends
  // when the returned object is destroyed; after a lost connection it resubscribes by itself.
  virtual std::unique_ptr<Subscription> Subscribe(std::function<void(const Event&)> on_event) = 0;
};

}  // namespace phasor::queue
