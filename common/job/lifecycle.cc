#include "common/job/lifecycle.h"

#include <algorithm>
#include <utility>

namespace phasor::job {
namespace {

// One event applied to one snapshot. Each overload either returns what comes next or nullopt.
class Step {
 public:
  Step(const Snapshot& now_is, int64_t now_ms, const LifecycleLimits& limits)
      : is_(now_is), now_ms_(now_ms), limits_(limits) {}

  std::optional<Transition> operator()(const Taken& event) const {
    if (is_.state != State::kQueued) return std::nullopt;
    if (DeadlineIsOver()) return Expire();
    Snapshot next = To(State::kLeased);
    ++next.epoch;
    next.node = event.node;
    next.lease_end_ms = now_ms_ + event.lease.count();
    next.progress_ms = now_ms_;
    return Transition{std::move(next), "", ""};
  }

  std::optional<Transition> operator()(const Renewed& event) const {
    if (is_.state != State::kLeased) return std::nullopt;
    Snapshot next = is_;
    if (event.units > is_.units) {
      next.units = event.units;
      next.progress_ms = now_ms_;
    } else if (now_ms_ - is_.progress_ms > std::max(limits_.stall, event.stall).count()) {
      return std::nullopt;
    }
    next.heard = true;
    next.lease_end_ms = std::max(is_.lease_end_ms, now_ms_ + event.lease.count());
    return Transition{std::move(next), "", ""};
  }

  std::optional<Transition> operator()(const AskedToMakeRoom&) const {
    if (is_.state != State::kLeased || is_.preempted) return std::nullopt;
    if (is_.preemptions >= limits_.max_preemptions) return std::nullopt;
    Snapshot next = is_;
    next.preempted = true;
    ++next.preemptions;
    return Transition{std::move(next), "", ""};
  }

  std::optional<Transition> operator()(const Released&) const {
    if (is_.state != State::kLeased) return std::nullopt;
    return Transition{To(State::kQueued), "", ""};
  }

  std::optional<Transition> operator()(const Failed& event) const {
    if (is_.state != State::kLeased) return std::nullopt;
    if (event.worker_lost) return Crash(event.reason, event.code);
    const int tries = is_.tries + 1;
    if (!event.retry || tries >= limits_.max_tries || FailedLikeThatElsewhere(event.fault)) {
      Transition sealed = Seal(State::kDead, event.reason, event.code);
      sealed.next.tries = tries;
      return sealed;
    }
    const bool at_once = event.delay.count() <= 0;
    Snapshot next = To(at_once ? State::kQueued : State::kWaiting);
    next.tries = tries;
    if (!event.fault.empty()) {
      next.fault = event.fault;
      next.fault_node = is_.node;
    }
    if (!at_once) next.ready_ms = now_ms_ + event.delay.count();
    return Transition{std::move(next), event.reason, event.code, /*at_tail=*/at_once};
  }

  std::optional<Transition> operator()(const Completed&) const {
    if (is_.state != State::kLeased) return std::nullopt;
    return Transition{To(State::kDone), "", ""};
  }

  std::optional<Transition> operator()(const Canceled&) const {
    if (IsTerminal(is_.state)) return std::nullopt;
    return Transition{To(State::kCanceled), "", ""};
  }

  std::optional<Transition> operator()(const LeaseEnded&) const {
    if (is_.state != State::kLeased || now_ms_ < is_.lease_end_ms) return std::nullopt;
    if (!is_.heard && is_.silences < kFreeSilences) {
      Snapshot next = To(State::kQueued);
      ++next.silences;
      return Transition{std::move(next), "the worker that took the job was not heard of",
                        "UNAVAILABLE"};
    }
    return Crash("a worker was lost while it ran the job", "UNAVAILABLE");
  }

  std::optional<Transition> operator()(const DelayEnded&) const {
    if (is_.state != State::kWaiting || now_ms_ < is_.ready_ms) return std::nullopt;
    return Transition{To(State::kQueued), "", "", /*at_tail=*/true};
  }

  std::optional<Transition> operator()(const DeadlinePassed&) const {
    const bool waits = is_.state == State::kQueued || is_.state == State::kWaiting;
    if (!waits || !DeadlineIsOver()) return std::nullopt;
    return Expire();
  }

  // The record is what clients read, so it wins even over another end.
  std::optional<Transition> operator()(const RecordFound& event) const {
    if (!IsTerminal(event.state) || event.state == is_.state) return std::nullopt;
    return Transition{To(event.state), "", ""};
  }

  std::optional<Transition> operator()(const Redriven&) const {
    if (is_.state != State::kDead) return std::nullopt;
    return Transition{Snapshot{.solo = true}, "", ""};
  }

 private:
  // The same job in another state: what belonged to the old one is gone.
  Snapshot To(State state) const {
    return {.state = state,
            .epoch = is_.epoch,
            .tries = is_.tries,
            .fault = is_.fault,
            .fault_node = is_.fault_node,
            .crashes = is_.crashes,
            .crash_nodes = is_.crash_nodes,
            .silences = is_.silences,
            .solo = is_.solo,
            .preemptions = is_.preemptions,
            .deadline_ms = is_.deadline_ms};
  }

  bool DeadlineIsOver() const { return is_.deadline_ms > 0 && is_.deadline_ms <= now_ms_; }

  bool FailedLikeThatElsewhere(const std::string& fault) const {
    const bool known = !fault.empty() && !is_.node.empty() && !is_.fault_node.empty();
    return known && fault == is_.fault && is_.node != is_.fault_node;
  }

  Transition Seal(State want, const std::string& reason, const std::string& code) const {
    Snapshot next = To(State::kSealing);
    next.want = want;
    return {std::move(next), reason, code};
  }

  Transition Expire() const {
    return Seal(State::kExpired, "the deadline passed before a worker was free",
                "DEADLINE_EXCEEDED");
  }

  // A job that takes workers with it is the culprit once that happened on two nodes. While all
  // were on one, the node may be, so it takes twice as many.
  Transition Crash(const std::string& reason, const std::string& code) const {
    const int crashes = is_.crashes + 1;
    std::set<std::string> nodes = is_.crash_nodes;
    if (!is_.node.empty()) nodes.insert(is_.node);
    const bool guilty =
        crashes >= limits_.max_crashes && (nodes.size() >= 2 || crashes >= 2 * limits_.max_crashes);
    Transition transition = guilty ? Seal(State::kDead,
                                          "WORKER_LOST: " + std::to_string(crashes) +
                                              " workers were lost while they ran the job",
                                          "ABORTED")
                                   : Transition{To(State::kQueued), reason, code};
    transition.next.crashes = crashes;
    transition.next.crash_nodes = std::move(nodes);
    transition.next.solo = true;
    return transition;
  }

  const Snapshot& is_;
  const int64_t now_ms_;
  const LifecycleLimits& limits_;
};

}  // namespace

std::optional<Transition> Next(const Snapshot& now_is, const Event& event, int64_t now_ms,
                               const LifecycleLimits& limits) {
  return std::visit(Step(now_is, now_ms, limits), event);
}

}  // namespace phasor::job
