// The queue inside one process: the shipped fake for tests and for a gateway and worker that live
// together. States, order and answers are those of the Redis adapter; nothing survives the
// process.
//
// Thread-safe: one mutex. Time comes from the injected clock, except that WaitForWork waits in
// real time.
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
#include "common/queue/memory_events.h"
#include "common/queue/order.h"
#include "common/queue/queue.h"

namespace phasor::queue {

class MemoryQueue final : public Producer,
                          public Consumer,
                          public Maintenance,
                          public EventChannel {
 public:
  // `clock` must outlive the queue.
  explicit MemoryQueue(const Clock& clock) : clock_(clock) {}

  StatusOr<SubmitReply> Submit(const SubmitRequest& request) override;
  StatusOr<State> Cancel(const JobId& id, const std::string& tenant) override;
  StatusOr<JobView> Get(const JobId& id) override;
  StatusOr<ListReply> List(const ListRequest& request) override;

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
  Status SetLimits(const QueueLimits& limits) override;
  Status SetPaused(bool paused) override;

  Status Publish(const Event& event) override;
  std::unique_ptr<Subscription> Subscribe(std::function<void(const Event&)> on_event) override;

  // What is wrong with the indexes, one sentence each; empty in a correct queue. For tests.
  std::vector<std::string> Violations();

 private:
  struct Job {
    JobView view;
    std::string fingerprint;
    int64_t sequence = 0;
    int64_t cost = 1;
    Millis keep{0};
    std::string nonce;       // of the newest owner
    std::string back_nonce;  // of the owner that gave the job back last
    std::set<std::string> crashed_nodes;
    std::string node;
    std::string checkpoint;
    int checkpoint_step = 0;
    bool solo = false;
    int64_t units = 0;
    int64_t progress_ms = 0;
    int64_t index_ms = 0;  // its time in the index of its state
    Millis lease{0};
    State want = State::kDead;
    int64_t forget_ms = 0;  // terminal: when the record goes
  };
  using TimeIndex = std::set<std::pair<int64_t, JobId>>;
  using ModelClass = std::pair<std::string, int>;

  Job* Find(const JobId& id) REQUIRES_LOCK(mu_);
  bool IsOwner(const Job& job, const Fence& fence) const REQUIRES_LOCK(mu_);
  OwnerAnswer AnswerToStranger(const Job* job, const Fence& fence) const REQUIRES_LOCK(mu_);

  void LeaveIndex(Job& job) REQUIRES_LOCK(mu_);
  void EnterState(Job& job, State state) REQUIRES_LOCK(mu_);
  void MakeReady(Job& job, bool at_head) REQUIRES_LOCK(mu_);
  void Seal(Job& job, State want, const std::string& reason, const std::string& code)
      REQUIRES_LOCK(mu_);
  void Finish(Job& job, State state) REQUIRES_LOCK(mu_);
  int Sweep(int promotions, int recoveries, int expiries) REQUIRES_LOCK(mu_);
  void TakeBack(Job& job) REQUIRES_LOCK(mu_);

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
  std::optional<Grant> TakeChosen(const TakeRequest& request, const Choice& choice)
      REQUIRES_LOCK(mu_);
  Grant GrantOf(const Job& job) const REQUIRES_LOCK(mu_);
  int64_t PositionOf(const Job& job) REQUIRES_LOCK(mu_);

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
  std::set<JobId> dead_ GUARDED_BY(mu_);
  std::map<std::string, int64_t> open_by_tenant_ GUARDED_BY(mu_);
  std::map<std::string, JobId> by_nonce_ GUARDED_BY(mu_);
  ClassStride stride_ GUARDED_BY(mu_);
  std::map<ModelClass, int> passed_over_ GUARDED_BY(mu_);
  QueueLimits limits_ GUARDED_BY(mu_);
  bool paused_ GUARDED_BY(mu_) = false;
  int64_t sequence_ GUARDED_BY(mu_) = 0;
  int64_t bells_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::queue
