// What passes through the queue's ports. Plain values; times are milliseconds since the epoch by
// the queue's own clock unless a name says otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/job/caller.h"
#include "common/job/types.h"

namespace phasor::queue {

using job::Caller;
using job::JobId;
using job::Phase;
using job::Priority;
using job::State;

// What a new job takes of its tenant's quotas (TenantLimits).
struct Spend {
  int64_t pixel_steps = 0;  // pixels times steps of all its pictures, twice with guidance
  int64_t prompt_bytes = 0;
  int64_t result_bytes = 0;  // of its pictures before they are compressed
};

struct SubmitRequest {
  JobId id;
  Priority priority = Priority::kNormal;
  std::string model;  // as the user names it; adapters form keys with job::KeyName
  std::string tenant;
  int64_t cost = 1;
  std::string fingerprint;               // of the request's body: tells a repeat from a conflict
  int64_t deadline_ms = 0;               // wall clock, 0: none
  Millis deadline_in{0};                 // instead: from the submit on; 0: none
  Millis keep = std::chrono::hours(72);  // how long the job's record stays
  std::string spec;                      // opaque bytes
  // Creates no job that the queue does not know and may have known: kUnknown then. It is sure only
  // if it has seen all of the fleet's life, and forgotten the jobs that it did by itself.
  bool unless_forgotten = false;
  Spend spend = {};
};

enum class SubmitOutcome { kAccepted, kDuplicate, kConflict, kPaused, kFull, kUnknown };

struct SubmitReply {
  SubmitOutcome outcome = SubmitOutcome::kAccepted;
  State state = State::kQueued;  // of the job, for kAccepted and kDuplicate
  std::string full;              // which cap or quota, for kFull
  Millis retry_after{0};         // for kFull and kPaused
};

// Quotas are counted by the minute of the queue's clock.
inline constexpr Millis kQuotaWindow{60'000};
inline constexpr int64_t kNoQuota = 1'000'000'000'000'000;  // this much a minute is no bound
// When to ask again after a refusal; for a quota: when its minute is over.
inline constexpr Millis kRetryWhenFull{2'000};
inline constexpr Millis kRetryWhenPaused{5'000};

// Proof of ownership: every call of a worker about a job carries it, and a call whose fence is
// not the job's current one changes nothing.
struct Fence {
  JobId id;
  int64_t epoch = 0;
  std::string nonce;
};

// Of one take. A worker that can run more offers them in turns.
inline constexpr size_t kMaxModelsOffered = 64;

struct TakeRequest {
  std::string worker;               // unique name of the worker process
  std::string node;                 // the machine (or slot): a job that dies on two is the culprit
  std::string nonce;                // one per take; repeating it repeats the grant
  std::vector<std::string> models;  // that the worker can run, warm ones first; kMaxModelsOffered
  Millis lease{15'000};
};

struct Grant {
  Fence fence;
  State state = State::kLeased;
  Priority priority = Priority::kNormal;
  std::string model;
  std::string tenant;
  int crashes = 0;         // workers that died with this job
  int tries = 0;           // failures that a worker reported
  int step = 0;            // of the newest checkpoint
  std::string checkpoint;  // its name in the store, empty: none
  // A worker died with it, or it is a redriven dead letter. A worker that computes several jobs at
  // once computes this one alone, so that it takes nobody with it; one job at a time needs nothing.
  bool solo = false;
  int64_t enqueued_ms = 0;
  int64_t deadline_ms = 0;
  Millis lease{15'000};
  std::string spec;
};

// The answer to a call of an owner.
enum class OwnerAnswer {
  kOk,         // done now
  kRepeated,   // had been done before by the same call: as good as kOk
  kFenced,     // somebody else owns the job, it ended, or the queue forgot it: drop it
  kCanceled,   // a cancel ended this owner's job: stop, publish nothing
  kStalled,    // Renew: no progress for too long; the lease was not extended
  kPreempted,  // Renew: the lease was extended, but a more urgent job waits for this worker:
               // checkpoint at the next step and Release
};

// What an owner says of a job that came out.
struct Completion {
  Fence fence;
  std::string result;  // pointer to the terminal record, which was won or read before
};

// What a worker gets that completes one job and takes the next.
struct NextJob {
  OwnerAnswer completed = OwnerAnswer::kOk;
  std::optional<Grant> grant = {};
};

struct RenewRequest {
  Fence fence;
  Millis lease{15'000};
  Phase phase = Phase::kNone;
  int64_t units = 0;        // of work done so far by this owner: the proof of progress
  Millis stall{0};          // longest time without a unit, where the queue's limit is too short
  int step = 0;             // denoising steps done
  std::string checkpoint;   // newest one, empty: unchanged
  int checkpoint_step = 0;  // of `checkpoint`
};

struct Failure {
  Fence fence;
  bool retryable = false;
  Millis delay{0};  // before the next try
  // The worker ends with the failure: counted as a crash, not as a try, and the job comes back at
  // once, to run alone. `retryable` and `delay` say nothing then.
  bool worker_lost = false;
  std::string reason;  // a sentence for the user; no prompt text
  std::string code;    // e.g. "RESOURCE_EXHAUSTED"
  // What failed and how, in a word that is the same wherever the same thing fails. The second node
  // that reports it ends the job. Empty: the failure says nothing about the job.
  std::string fault = "";
};

enum class FailOutcome { kRequeued, kSealed, kRepeated, kFenced };

// The job as the queue knows it.
struct JobView {
  JobId id;
  State state = State::kQueued;
  Phase phase = Phase::kNone;
  Priority priority = Priority::kNormal;
  std::string model;
  std::string tenant;
  int64_t epoch = 0;
  int tries = 0;
  int crashes = 0;
  int step = 0;
  int64_t position = -1;  // jobs of its list before it, -1: not queued. Exact below 256; beyond
                          // that the length of the list
  int64_t enqueued_ms = 0;
  int64_t changed_ms = 0;  // the last transition
  int64_t started_ms = 0;  // when its last owner took it, 0: nobody had it
  int64_t deadline_ms = 0;
  int64_t version = 0;  // grows with each transition: a watcher orders by it
  std::string worker;
  std::string result;   // pointer, for terminal states
  std::string reason;   // why it failed or is waiting
  std::string code;     // status code name that goes with the reason
  bool shared = false;  // more than one submit has named it
  std::string spec;     // filled by Get, not by List
};

struct ListRequest {
  std::string tenant;         // empty: all; a caller's is job::Caller::only_tenant
  std::string model;          // empty: all
  std::vector<State> states;  // empty: all
  int limit = 100;            // at most 1000
  std::string page;           // empty: newest first from the top
};

// What became of a redriven dead letter: the new job "<id>#<n>" and where it is by now.
struct RedriveReply {
  JobId id;
  State state = State::kQueued;
};

// Dead letters alone (`states` is {kDead}) come from an index of their own: newest death first.
// A page may hold fewer than `limit` jobs, or none, and still have a next one: the work of one
// call is bounded.
struct ListReply {
  std::vector<JobView> jobs;  // newest submit first
  std::string next_page;      // empty: no more
};

struct ModelDepth {
  std::map<Priority, int64_t> ready;    // that a worker may have now
  std::map<Priority, int64_t> blocked;  // queued too, but their tenants are at their cap of running
                                        // jobs. Of very many such tenants an estimate
  int64_t running = 0;
  int64_t delayed = 0;
  int64_t cost = 0;           // of all that is queued, ready or blocked
  int64_t oldest_age_ms = 0;  // of the ready jobs
};

struct QueueStats {
  std::map<std::string, ModelDepth> models;
  int64_t live = 0;     // non-terminal jobs
  int64_t sealing = 0;  // of them, waiting for their terminal record
  int64_t dead = 0;     // dead letters kept
  int64_t ended = 0;    // jobs that ended and are not forgotten yet
  int64_t now_ms = 0;   // the queue's clock; 0: it does not say
  bool paused = false;
  int64_t memory_used = 0;   // bytes that the queue's store uses in all; 0: it does not say
  int64_t memory_limit = 0;  // bytes that it may use; 0: no limit
};

// Bounds, kept in the queue itself so that all gateways agree. The defaults stand here alone: the
// build copies them into the scripts.
struct QueueLimits {
  int64_t max_jobs = 100'000;  // non-terminal jobs in all
  // Non-terminal jobs of one tenant. Jobs without a tenant are bounded by max_jobs alone.
  int64_t max_per_tenant = 10'000;
  int64_t max_running_per_tenant = 1'000'000'000;  // jobs of one tenant that workers have
  int max_tries = 4;                               // failures before a job is dead
  int max_crashes = 3;   // workers lost before a job is dead; twice that while all on one node
  Millis stall{20'000};  // without progress a lease is not extended
  Millis preempt_after{2'000};  // a more urgent ready job must have waited so long
  Millis preempt_floor{5'000};  // a job that makes room must have run so long since its take
  int max_preemptions = 2;      // per job; then it is left alone
  int64_t max_dead = 10'000;    // dead letters listed; older ones fall off the list
  // Jobs that ended and are remembered, dead letters too; then the oldest are forgotten. Their
  // terminal records stand in the store.
  int64_t max_ended = 100'000;
  int64_t ended_memory_percent = 75;  // of its memory: a fuller Redis forgets jobs that ended
  // Quotas of each tenant that has none of its own (TenantLimits); jobs without a tenant have none.
  int64_t pixel_steps_per_tenant = kNoQuota;
  int64_t prompt_bytes_per_tenant = kNoQuota;
  int64_t result_bytes_per_tenant = kNoQuota;

  bool operator==(const QueueLimits&) const = default;
};

// What one tenant may do. Each that is absent is the default, which for all but the weight stands
// in QueueLimits (where there is no tenant: no cap on open jobs, and no quotas).
struct TenantLimits {
  std::optional<int64_t> max_open = {};     // non-terminal jobs; 0: takes none
  std::optional<int64_t> max_running = {};  // jobs that workers have at once; 0: none runs
  std::optional<int64_t> weight = {};       // share beside other tenants' 1
  // Quotas: what its new jobs may come to in a minute; from kNoQuota on anything. The job that
  // reaches the end of one is the last, however large it is.
  std::optional<int64_t> pixel_steps = {};
  std::optional<int64_t> prompt_bytes = {};
  std::optional<int64_t> result_bytes = {};

  bool operator==(const TenantLimits&) const = default;
};

// One call's part of a round over all jobs.
struct AuditReport {
  std::string next_cursor;  // for the next call; empty: the round is over
  int64_t looked = 0;       // jobs and index entries
  int64_t repaired = 0;
  std::vector<std::string> repairs;  // short sentences, at most 20
};

// A running job that is to make room for a more urgent one.
struct Preemption {
  JobId id;
  std::string worker;
  bool repeated = false;  // an earlier call has asked for it already
};

// A hint that something about a job changed. Lossy: truth is Get and the terminal record.
struct Event {
  JobId id;
  int64_t version = 0;  // of the transition; 0: progress, which is no transition
  int64_t epoch = 0;    // of the owner: progress of a lower one than seen is stale
  State state = State::kQueued;
  Phase phase = Phase::kNone;
  int step = 0;
  int steps = 0;
  double seconds_left = 0;  // 0: not known
  std::string worker;
  std::string preview;  // PNG bytes, usually empty
  int preview_image = 0;
};

}  // namespace phasor::queue
