// The contract's random walk.

#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "common/job/lifecycle.h"
#include "common/queue/contract/queue_contract.h"
#include "common/queue/order.h"

namespace phasor::queue {
namespace {

// Times are chosen apart from each other and from the queue's own bounds by seconds, so that the
// milliseconds which a real server spends between two steps decide nothing.
constexpr Millis kTick{70'000};
constexpr Millis kHalfTick{35'000};
// No two steps at one time, in any implementation, and each take may sweep. A thousand of them are
// less than half a tick.
constexpr Millis kStep = kSweepEvery;
// The queue has bounds of some seconds, too. Steps alone must not come to one, for a real server
// comes there some steps earlier.
constexpr int kStepsWithoutTick = 50;
constexpr int kJobs = 300;

class Walk {
 public:
  Walk(QueueUnderTest& queue, uint64_t seed) : queue_(queue), random_(seed) {}

  std::vector<std::string> Run(int steps) {
    QueueLimits limits;
    limits.max_jobs = 40;
    limits.max_per_tenant = 16;
    limits.stall = kTick + kHalfTick;
    limits.preempt_after = kHalfTick;
    limits.preempt_floor = kHalfTick;
    limits.max_dead = 5;
    lifecycle_.stall = limits.stall;
    EXPECT_TRUE(queue_.control().SetLimits(limits).ok());
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      Advance(step % kStepsWithoutTick == 0 ? kTick : kStep);
      Step();
      Check();
    }
    return std::move(trace_);
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  void Note(const std::string& line) { trace_.push_back(line); }

  template <typename T>
  void NoteAnswer(const std::string& call, const JobId& id, const StatusOr<T>& answer) {
    Note(call + " " + id.substr(0, 6) + " -> " +
         (answer.ok() ? std::to_string(static_cast<int>(*answer)) : "not found"));
  }

  void Step() {
    const int dice = Below(112);
    if (dice >= 100) {
      Steer(dice - 100);
    } else if (dice < 27) {
      Submit();
    } else if (dice < 52) {
      Take();
    } else if (dice < 80) {
      CallOfAnOwner();
    } else if (dice < 86) {
      Cancel();
    } else if (dice < 91) {
      Advance(Below(3) * kTick);
    } else if (dice < 95) {
      Note("recover -> " + std::to_string(queue_.maintenance().Recover(3).value()));
    } else {
      SealOne();
    }
  }

  void Advance(Millis by) {
    queue_.Advance(by);
    elapsed_ms_ += by.count();
  }

  // What those who run the queue do.
  void Steer(int dice) {
    if (dice == 0) return Note(std::to_string(queue_.control().SetPaused(true).ok()));
    if (dice < 4) return Note(std::to_string(queue_.control().SetPaused(false).ok()));
    if (dice < 6) return LimitATenant();
    if (dice < 9) return Preempt();
    if (dice < 10) return Redrive();
    const std::string cursor = Below(2) == 0 ? "" : kAuditEverything;
    const AuditReport report = queue_.maintenance().Audit(cursor, 1 + Below(50)).value();
    EXPECT_EQ(report.repairs, std::vector<std::string>()) << "nothing was damaged";
  }

  void LimitATenant() {
    TenantLimits limits;
    if (Below(2) == 0) limits.max_running = Below(4);
    if (Below(2) == 0) limits.weight = 1 + Below(5);
    if (Below(4) == 0) limits.max_open = 5;
    EXPECT_TRUE(
        queue_.control().SetTenantLimits("tenant-" + std::to_string(Below(5)), limits).ok());
  }

  void Preempt() {
    const std::vector<Preemption> asked = queue_.maintenance().Preempt(4).value();
    for (const Preemption& one : asked) {
      Note("preempt " + one.id.substr(0, 6) + (one.repeated ? " again" : ""));
      if (!one.repeated) Happened(one.id, job::AskedToMakeRoom{});
      EXPECT_TRUE(life_.at(one.id).preempted);
    }
  }

  void Redrive() {
    ListRequest request;
    request.states = {State::kDead};
    request.limit = 3;
    const std::vector<JobView> dead = queue_.producer().List(request).value().jobs;
    for (const JobView& view : dead) Note("dead " + view.id.substr(0, 6));
    const JobId id = dead.empty() ? TestJobId(Below(kJobs)) : dead.back().id;
    const StatusOr<RedriveReply> reply = queue_.producer().Redrive(id, {});
    Note("redrive -> " + std::to_string(static_cast<int>(reply.status().code())));
    if (!reply.ok() || !known_.insert(reply->id).second) return;
    const auto next = job::Next(life_.at(id), job::Redriven{}, elapsed_ms_, lifecycle_);
    ASSERT_TRUE(next.has_value());
    life_[reply->id] = next->next;
  }

  // The job's life as lifecycle.h has it, beside the queue's: every event that the queue has
  // accepted must be one there, and lead to the same.
  void Happened(const JobId& id, const job::Event& event) {
    job::Snapshot& life = life_.at(id);
    const auto next = job::Next(life, event, elapsed_ms_, lifecycle_);
    ASSERT_TRUE(next.has_value()) << id << ": event " << event.index() << " in the state "
                                  << job::ToString(life.state) << " after: " << trace_.back();
    life = next->next;
  }

  // What time alone has done to the job, as far as it is needed to explain `state`.
  void CatchUp(const JobId& id, State state) {
    for (int i = 0; i < 3 && life_.at(id).state != state; ++i) {
      for (const job::Event& event : {job::Event(job::LeaseEnded{}), job::Event(job::DelayEnded{}),
                                      job::Event(job::DeadlinePassed{})}) {
        if (life_.at(id).state == state) break;
        const auto next = job::Next(life_.at(id), event, elapsed_ms_, lifecycle_);
        if (next) life_.at(id) = next->next;
      }
    }
  }

  void Compare(const JobView& view) {
    CatchUp(view.id, view.state);
    const job::Snapshot& life = life_.at(view.id);
    EXPECT_EQ(view.state, life.state) << view.id;
    EXPECT_EQ(view.epoch, life.epoch) << view.id;
    EXPECT_EQ(view.tries, life.tries) << view.id;
    EXPECT_EQ(view.crashes, life.crashes) << view.id;
  }

  void Submit() {
    SubmitRequest request = TestRequest(Below(kJobs));
    int64_t deadline = 0;
    request.priority = static_cast<Priority>(request.id[0] % 4);
    request.tenant = "tenant-" + std::to_string(request.id[1] % 5);
    request.model = request.id[2] % 4 == 0 ? "model-b" : "model-a";
    request.cost = 1 + request.id[3] % 9;
    if (request.id[4] % 5 == 0) {
      const int64_t from_now = Below(6) * kTick.count() + kHalfTick.count();
      request.deadline_ms = now_ms() + from_now;
      deadline = elapsed_ms_ + from_now;
    }
    const SubmitReply reply = queue_.producer().Submit(request).value();
    Note("submit " + request.id.substr(0, 6) + " -> " +
         std::to_string(static_cast<int>(reply.outcome)) + reply.full);
    if (reply.outcome != SubmitOutcome::kAccepted) return;
    known_.insert(request.id);
    life_[request.id] = {.deadline_ms = deadline};
  }

  // The queue's own time, learnt from a job that is submitted for that.
  int64_t now_ms() {
    SubmitRequest probe = TestRequest(100'000 + probes_++);
    probe.tenant = "probe";
    probe.keep = Millis(1);
    EXPECT_TRUE(queue_.producer().Submit(probe).ok());
    const StatusOr<JobView> view = queue_.producer().Get(probe.id, {});
    if (!view.ok()) return last_now_;  // the queue is full
    EXPECT_TRUE(queue_.producer().Cancel(probe.id, {}).ok());
    return last_now_ = view->enqueued_ms;
  }

  void Take() {
    TakeRequest request;
    const bool repeat =
        Below(6) == 0 && !grants_.empty() && given_back_.count(grants_.back().fence.nonce) == 0;
    request.nonce = repeat ? grants_.back().fence.nonce : "n" + std::to_string(++nonces_);
    request.worker = "w" + std::to_string(Below(4));
    request.node = Below(2) == 0 ? "node-a" : "node-b";
    request.models = {"model-a", "model-b"};
    if (Below(3) == 0) std::swap(request.models[0], request.models[1]);
    request.lease = Below(3) * kTick + kHalfTick;
    const std::optional<Grant> grant = TakeMaybeAfterAnother(request);
    if (!grant) return Note("take -> nothing");
    const JobId& id = grant->fence.id;
    Note("take -> " + id.substr(0, 6) + " epoch " + std::to_string(grant->fence.epoch) + " tries " +
         std::to_string(grant->tries) + " crashes " + std::to_string(grant->crashes) + " step " +
         std::to_string(grant->step));
    // The same grant again; after its lease was over the same nonce may get the job anew.
    if (grant->fence.nonce == last_nonce_[id] && grant->fence.epoch == epoch_[id]) return;
    EXPECT_GT(grant->fence.epoch, epoch_[id]) << "epochs grow";
    CatchUp(id, State::kQueued);
    Happened(id, job::Taken{.node = request.node, .lease = request.lease});
    EXPECT_EQ(grant->solo, life_.at(id).solo);
    epoch_[id] = grant->fence.epoch;
    last_nonce_[id] = grant->fence.nonce;
    grants_.push_back(*grant);
  }

  std::optional<Grant> TakeMaybeAfterAnother(const TakeRequest& request) {
    if (grants_.empty() || Below(3) > 0) return queue_.consumer().Take(request).value();
    const Fence fence = SomeFence();
    given_back_.insert(fence.nonce);
    const bool superseded = fence.epoch != epoch_[fence.id];
    const NextJob next = queue_.consumer().CompleteAndTake({fence, "result"}, request).value();
    NoteAnswer("complete and take", fence.id, StatusOr<OwnerAnswer>(next.completed));
    if (next.completed == OwnerAnswer::kOk) Happened(fence.id, job::Completed{});
    EXPECT_FALSE(superseded && next.completed == OwnerAnswer::kOk);
    return next.grant;
  }

  // Of one of the newest grants.
  Fence SomeFence() {
    const size_t newest = grants_.size() - 1;
    return grants_[newest - static_cast<size_t>(Below(std::min<int>(grants_.size(), 6)))].fence;
  }

  void CallOfAnOwner() {
    if (grants_.empty()) return;
    const Fence fence = SomeFence();
    const bool superseded = fence.epoch != epoch_[fence.id];
    const int dice = Below(10);
    if (dice < 3 || dice >= 6) given_back_.insert(fence.nonce);
    if (dice < 3) {
      const auto answer = queue_.consumer().Complete(fence, "result");
      NoteAnswer("complete", fence.id, answer);
      if (*answer == OwnerAnswer::kOk) Happened(fence.id, job::Completed{});
      EXPECT_FALSE(superseded && *answer == OwnerAnswer::kOk);
    } else if (dice < 6) {
      RenewRequest request;
      request.fence = fence;
      request.lease = Below(3) * kTick + kHalfTick;
      request.units = Below(20);
      request.step = Below(20);
      if (Below(2) == 0) {
        request.checkpoint = "c";
        request.checkpoint_step = request.step;
      }
      const auto answer = queue_.consumer().Renew(request);
      NoteAnswer("renew", fence.id, answer);
      const bool renewed = *answer == OwnerAnswer::kOk || *answer == OwnerAnswer::kPreempted;
      EXPECT_FALSE(superseded && renewed);
      if (renewed) {
        Happened(fence.id, job::Renewed{request.units, request.lease, Millis(0)});
        EXPECT_EQ(*answer == OwnerAnswer::kPreempted, life_.at(fence.id).preempted);
      }
    } else if (dice < 8) {
      Failure failure;
      failure.fence = fence;
      failure.retryable = Below(4) != 0;
      if (Below(2) == 0) failure.delay = Below(3) * kTick + kHalfTick;
      failure.reason = "reason";
      failure.worker_lost = Below(8) == 0;
      failure.fault = Below(3) == 0 ? "" : Below(2) == 0 ? "one" : "other";
      const auto answer = queue_.consumer().Fail(failure);
      NoteAnswer("fail", fence.id, answer);
      EXPECT_FALSE(superseded && *answer <= FailOutcome::kSealed);
      if (*answer <= FailOutcome::kSealed) {
        Happened(fence.id, job::Failed{.retry = failure.retryable,
                                       .delay = failure.delay,
                                       .worker_lost = failure.worker_lost,
                                       .reason = "",
                                       .code = "",
                                       .fault = failure.fault});
      }
    } else {
      const auto answer = queue_.consumer().Release(fence, Below(2) == 0 ? "c" : "", 3);
      NoteAnswer("release", fence.id, answer);
      if (*answer == OwnerAnswer::kOk) Happened(fence.id, job::Released{});
      EXPECT_FALSE(superseded && *answer == OwnerAnswer::kOk);
    }
  }

  void Cancel() {
    const JobId id = TestJobId(Below(kJobs));
    const StatusOr<JobView> view = queue_.producer().Get(id, {});
    if (view.ok()) Compare(*view);
    const StatusOr<State> answer = queue_.producer().Cancel(id, {});
    NoteAnswer("cancel", id, answer);
    if (answer.ok() && *answer == State::kCanceled && !job::IsTerminal(life_.at(id).state)) {
      Happened(id, job::Canceled{});
    }
  }

  void SealOne() {
    const auto seals = queue_.maintenance().PendingSeals(2).value();
    if (seals.empty()) return;
    const State state = Below(4) == 0 ? State::kDone : seals[0].want;
    Note("seal " + seals[0].id.substr(0, 6) + " " + std::string(job::ToString(state)));
    EXPECT_TRUE(queue_.maintenance().Adopt(seals[0].id, state, "result").ok());
    CatchUp(seals[0].id, State::kSealing);
    EXPECT_EQ(life_.at(seals[0].id).want, seals[0].want);
    Happened(seals[0].id, job::RecordFound{state});
  }

  void Check() {
    const std::vector<std::string> violations = queue_.Violations();
    EXPECT_TRUE(violations.empty()) << violations[0] << " after: " << trace_.back();
    if (known_.empty()) return;
    auto some = known_.lower_bound(TestJobId(Below(kJobs)));
    if (some == known_.end()) some = known_.begin();
    const JobView view = queue_.producer().Get(*some, {}).value();
    Compare(view);
    const auto ended = ended_.find(view.id);
    if (ended != ended_.end()) {
      EXPECT_EQ(view.state, ended->second) << "terminal states never change";
    }
    if (job::IsTerminal(view.state)) ended_[view.id] = view.state;
  }

  QueueUnderTest& queue_;
  std::mt19937_64 random_;
  std::vector<std::string> trace_;
  std::set<JobId> known_;
  std::vector<Grant> grants_;
  std::map<JobId, int64_t> epoch_;
  std::map<JobId, std::string> last_nonce_;
  std::set<std::string> given_back_;  // nonces whose owners are done with them
  std::map<JobId, State> ended_;
  std::map<JobId, job::Snapshot> life_;
  job::LifecycleLimits lifecycle_;
  int64_t elapsed_ms_ = 0;
  int nonces_ = 0;
  int probes_ = 0;
  int64_t last_now_ = 1;
};

}  // namespace

std::vector<std::string> RandomWalk(QueueUnderTest& queue, uint64_t seed, int steps) {
  return Walk(queue, seed).Run(steps);
}

TEST_P(QueueContract, ARandomWalkKeepsEveryInvariant) {
  // PHASOR_WALK_SEED=N walks again where a walk has failed.
  const char* const given = std::getenv("PHASOR_WALK_SEED");
  const uint64_t seed = given == nullptr ? std::random_device{}() : std::stoull(given);
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::cout << "random walk with seed " << seed << std::endl;
  RandomWalk(*queue_, seed, 1000);
}

}  // namespace phasor::queue
