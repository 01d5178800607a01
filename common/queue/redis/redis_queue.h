// The queue in Redis: every decision is one Lua script (scripts/*.lua), so it is atomic and takes
// its time from Redis. Start here, then read the scripts; lib/index.lua draws the indexes.
//
// Thread-safe. The parts: redis_queue.cc (producer, events), redis_queue_work.cc (consumer),
// redis_queue_upkeep.cc (maintenance, control). Commands of all threads share one pipelined
// connection; WaitForWork and each subscription have connections of their own. Redis need not be
// there at construction: calls are UNAVAILABLE until it is. Every call may be repeated with the
// same arguments.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/queue/queue.h"
#include "common/queue/redis/scripts.h"
#include "common/redis/command_pipeline.h"

namespace phasor::queue {

// The connection's words, which callers of the queue use as well.
using redis::CommandPipeline;
using redis::ParseRedisUrl;
using redis::RedisAddress;
using redis::RedisConnection;
using redis::RedisOptions;
using redis::RedisReply;

class RedisQueue final : public Producer,
                         public Consumer,
                         public Maintenance,
                         public Control,
                         public EventChannel {
 public:
  explicit RedisQueue(RedisOptions options);
  ~RedisQueue() override;

  // How many connections were made for calls; RedisFoundation says whether they lead to the right
  // place.
  int64_t connections() const { return pipeline_.connections(); }

  StatusOr<SubmitReply> Submit(const SubmitRequest& request) override;
  std::vector<StatusOr<SubmitReply>> SubmitAll(const std::vector<SubmitRequest>& requests) override;
  StatusOr<State> Cancel(const JobId& id, const Caller& caller) override;
  StatusOr<JobView> Get(const JobId& id, const Caller& caller) override;
  StatusOr<ListReply> List(const ListRequest& request) override;
  StatusOr<RedriveReply> Redrive(const JobId& id, const Caller& caller) override;

  StatusOr<std::optional<Grant>> Take(const TakeRequest& request) override;
  void WaitForWork(Millis timeout) override;
  StatusOr<NextJob> CompleteAndTake(const Completion& done, const TakeRequest& request) override;
  StatusOr<OwnerAnswer> Renew(const RenewRequest& request) override;
  StatusOr<OwnerAnswer> Complete(const Fence& fence, const std::string& result) override;
  StatusOr<FailOutcome> Fail(const Failure& failure) override;
  StatusOr<OwnerAnswer> Release(const Fence& fence, const std::string& checkpoint,
                                int step) override;

  StatusOr<int> Recover(int limit) override;
  StatusOr<std::vector<SealRequest>> PendingSeals(int limit) override;
  Status Adopt(const JobId& id, State state, const std::string& result) override;
  StatusOr<QueueStats> Stats() override;
  StatusOr<AuditReport> Audit(const std::string& cursor, int limit) override;
  StatusOr<std::vector<Preemption>> Preempt(int limit) override;
  StatusOr<int> Forget(int limit) override;

  Status SetLimits(const QueueLimits& limits) override;
  StatusOr<QueueLimits> Limits() override;
  Status SetTenantLimits(const std::string& tenant, const TenantLimits& limits) override;
  Status SetPaused(bool paused) override;

  Status Publish(const Event& event) override;
  // The queue outlives the subscription.
  std::unique_ptr<Subscription> Subscribe(std::function<void(const Event&)> on_event) override;

  // Moves the time that the scripts see; the clock of Redis itself stays.
  void AdvanceForTesting(Millis by) { clock_offset_ms_ += by.count(); }

 private:
  // Runs a script; loads it when Redis does not know it. Error replies become a Status.
  StatusOr<RedisReply> Run(const Script& script, const std::vector<std::string>& arguments);
  // The same for a script that serves several calls at once: `shared` arguments, then each call's
  // own. Calls of other threads that wait at the same time may join in.
  std::vector<StatusOr<RedisReply>> RunShared(const Script& script,
                                              const std::vector<std::string>& shared,
                                              const std::vector<std::vector<std::string>>& calls);
  StatusOr<RedisReply> Command(const std::vector<std::string_view>& arguments);
  // One part of a round of the AUDIT or HISTORY script.
  StatusOr<AuditReport> AuditPart(const Script& script, const std::string& cursor, int limit);
  // The TAKE script; `done` may be null.
  StatusOr<NextJob> TakeAfter(const Completion* done, const TakeRequest& request);
  StatusOr<OwnerAnswer> RunForOwner(const Script& script,
                                    const std::vector<std::string>& arguments);
  Status WaitForBell(Millis timeout) REQUIRES_LOCK(bell_mu_);

  const RedisOptions options_;
  CommandPipeline pipeline_;
  std::atomic<int64_t> clock_offset_ms_{0};

  Mutex bell_mu_;
  std::unique_ptr<RedisConnection> bell_ GUARDED_BY(bell_mu_);
};

}  // namespace phasor::queue
