// The jobs in hand: one that was taken, and others of its model that join it where the device does
// not hold all of the model's parts at once (run/group_turn.h). They are taken one by one, each
// after the one before it was encoded, so that an idle worker is not kept from them. Each has its
// lease, its checkpoints and its end; none knows of the others.
//
// A job that is asked to make room takes those along that are no more urgent. One whose device is
// lost ends with that; the others are given back as far as they were saved.
// A worker that is killed loses all of them, and the queue counts a lost worker for each: which one
// was computed it can't know. From then on each is taken alone, so nobody pays for another twice.
//
// One thread, the executor; one object for each group. References outlive it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "services/worker/run/group_turn.h"
#include "services/worker/run/job_runner.h"
#include "services/worker/run/model_cache.h"
#include "services/worker/take/intake.h"
#include "services/worker/take/stretch.h"
#include "services/worker/take/taker.h"
#include "services/worker/worker_metrics.h"
#include "services/worker/worker_status.h"

namespace phasor::worker {

class JobGroup {
 public:
  struct Parts {
    Taker& taker;
    JobRunner& runner;
    ModelCache& models;
    LeaseRenewer& lease;
    Intake& intake;
    Stretch& stretch;
    WorkerStatus& status;
    WorkerMetrics& metrics;
    const Clock& clock;
    std::function<bool()> may_take;  // whether the worker takes jobs now
  };
  JobGroup(const Parts& parts, GroupConfig config) : parts_(parts), config_(config) {}

  // Until the last one has ended. An error: the device was lost.
  Status Run(const Taker::Taken& first);

 private:
  struct Member {
    queue::Grant grant;
    JobRunner::Held job;
  };

  void Add(const Taker::Taken& taken);
  void Advance(size_t member);
  void TakeAnother();
  void MakeRoom();
  bool MayGrow(const std::vector<HeldView>& members);
  GroupFacts Look();
  std::vector<HeldView> Views() const;
  // The member is gone after. False: the device was lost.
  bool End(size_t member);
  void Abandon();

  const Parts parts_;
  const GroupConfig config_;
  SteadyTime began_;
  std::vector<Member> members_;
  std::optional<size_t> current_;  // as GroupFacts has it
  int taken_ = 0;
  bool closed_ = false;  // nobody joins any more
};

}  // namespace phasor::worker
