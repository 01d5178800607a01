// The contract's random walk.

#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>

#include "common/queue/queue_contract.h"

namespace phasor::queue {
namespace {

// Times are chosen apart from each other and from the queue's own bounds by seconds, so that the
// milliseconds which a real server spends between two steps decide nothing.
constexpr Millis kTick{70'000};
constexpr Millis kHalfTick{35'000};
constexpr int kJobs = 300;

class Walk {
 public:
  Walk(QueueUnderTest& queue, uint64_t seed) : queue_(queue), random_(seed) {}

  std::vector<std::string> Run(int steps) {
    QueueLimits limits;
    limits.max_jobs = 40;
    limits.max_per_tenant = 16;
    limits.stall = kTick + kHalfTick;
    EXPECT_TRUE(queue_.control().SetLimits(limits).ok());
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      queue_.Advance(Millis(1));  // no two steps at one time, in any implementation
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
    const int dice = Below(100);
    if (dice < 27) {
      Submit();
    } else if (dice < 52) {
      Take();
    } else if (dice < 80) {
      CallOfAnOwner();
    } else if (dice < 86) {
      Cancel();
    } else if (dice < 91) {
      queue_.Advance(Below(3) * kTick);
    } else if (dice < 95) {
      Note("recover -> " + std::to_string(queue_.maintenance().Recover(3).value()));
    } else {
      SealOne();
    }
  }

  void Submit() {
    SubmitRequest request = TestRequest(Below(kJobs));
    request.priority = static_cast<Priority>(request.id[0] % 4);
    request.tenant = "tenant-" + std::to_string(request.id[1] % 5);
    request.model = request.id[2] % 4 == 0 ? "model-b" : "model-a";
    request.cost = 1 + request.id[3] % 9;
    if (request.id[4] % 5 == 0) {
      request.deadline_ms = now_ms() + Below(6) * kTick.count() + kHalfTick.count();
    }
    const SubmitReply reply = queue_.producer().Submit(request).value();
    Note("submit " + request.id.substr(0, 6) + " -> " +
         std::to_string(static_cast<int>(reply.outcome)) + reply.full);
    if (reply.outcome == SubmitOutcome::kAccepted) known_.insert(request.id);
  }

  // The queue's own time, learnt from a job that is submitted for that.
  int64_t now_ms() {
    SubmitRequest probe = TestRequest(100'000 + probes_++);
    probe.tenant = "probe";
    probe.keep = Millis(1);
    EXPECT_TRUE(queue_.producer().Submit(probe).ok());
    const StatusOr<JobView> view = queue_.producer().Get(probe.id);
    if (!view.ok()) return last_now_;  // the queue is full
    EXPECT_TRUE(queue_.producer().Cancel(probe.id, "").ok());
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
    const std::optional<Grant> grant = queue_.consumer().Take(request).value();
    if (!grant) return Note("take -> nothing");
    const JobId& id = grant->fence.id;
    Note("take -> " + id.substr(0, 6) + " epoch " + std::to_string(grant->fence.epoch) + " tries " +
         std::to_string(grant->tries) + " crashes " + std::to_string(grant->crashes) + " step " +
         std::to_string(grant->step));
    // The same grant again; after its lease was over the same nonce may get the job anew.
    if (grant->fence.nonce == last_nonce_[id] && grant->fence.epoch == epoch_[id]) return;
    EXPECT_GT(grant->fence.epoch, epoch_[id]) << "epochs grow";
    epoch_[id] = grant->fence.epoch;
    last_nonce_[id] = grant->fence.nonce;
    grants_.push_back(*grant);
  }

  void CallOfAnOwner() {
    if (grants_.empty()) return;
    const size_t newest = grants_.size() - 1;
    const size_t chosen = newest - static_cast<size_t>(Below(std::min<int>(grants_.size(), 6)));
    const Fence fence = grants_[chosen].fence;
    const bool superseded = fence.epoch != epoch_[fence.id];
    const int dice = Below(10);
    if (dice < 3 || dice >= 6) given_back_.insert(fence.nonce);
    if (dice < 3) {
      const auto answer = queue_.consumer().Complete(fence, "result");
      NoteAnswer("complete", fence.id, answer);
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
      EXPECT_FALSE(superseded && *answer == OwnerAnswer::kOk);
    } else if (dice < 8) {
      Failure failure;
      failure.fence = fence;
      failure.retryable = Below(4) != 0;
      if (Below(2) == 0) failure.delay = Below(3) * kTick + kHalfTick;
      failure.reason = "reason";
      const auto answer = queue_.consumer().Fail(failure);
      NoteAnswer("fail", fence.id, answer);
      EXPECT_FALSE(superseded && *answer <= FailOutcome::kSealed);
    } else {
      const auto answer = queue_.consumer().Release(fence, Below(2) == 0 ? "c" : "", 3);
      NoteAnswer("release", fence.id, answer);
      EXPECT_FALSE(superseded && *answer == OwnerAnswer::kOk);
    }
  }

  void Cancel() {
    const JobId id = TestJobId(Below(kJobs));
    NoteAnswer("cancel", id, queue_.producer().Cancel(id, ""));
  }

  void SealOne() {
    const auto seals = queue_.maintenance().PendingSeals(2).value();
    if (seals.empty()) return;
    const State state = Below(4) == 0 ? State::kDone : seals[0].want;
    Note("seal " + seals[0].id.substr(0, 6) + " " + std::string(job::ToString(state)));
    EXPECT_TRUE(queue_.maintenance().Adopt(seals[0].id, state, "result").ok());
  }

  void Check() {
    const std::vector<std::string> violations = queue_.Violations();
    EXPECT_TRUE(violations.empty()) << violations[0] << " after: " << trace_.back();
    if (known_.empty()) return;
    auto some = known_.lower_bound(TestJobId(Below(kJobs)));
    if (some == known_.end()) some = known_.begin();
    const JobView view = queue_.producer().Get(*some).value();
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
  int nonces_ = 0;
  int probes_ = 0;
  int64_t last_now_ = 1;
};

}  // namespace

std::vector<std::string> RandomWalk(QueueUnderTest& queue, uint64_t seed, int steps) {
  return Walk(queue, seed).Run(steps);
}

TEST_P(QueueContract, ARandomWalkKeepsEveryInvariant) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::cout << "random walk with seed " << seed << std::endl;
  RandomWalk(*queue_, seed, 1000);
}

}  // namespace phasor::queue
