// A job from grant to end: decode the spec, see whether it has ended already, load the model,
// advance the run unit by unit, publish. The queue is told of a failure at once, of a job that came
// out with the next take.
//
// Several jobs may be in hand, each with its lease; one is advanced at a time, by one unit.
// Between units it looks whether it must stop; progress, previews and checkpoints come from
// there too. Every failure becomes an answer to the queue and the process lives on.
// One thread, the executor. References outlive the runner.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/job/generate_spec.h"
#include "common/job/verdict.h"
#include "common/queue/queue.h"
#include "common/storage/result_store.h"
#include "common/trace/tracer.h"
#include "services/worker/lease/lease_renewer.h"
#include "services/worker/patience.h"
#include "services/worker/report/progress_reporter.h"
#include "services/worker/run/checkpoints.h"
#include "services/worker/run/debug_records.h"
#include "services/worker/run/memory_watch.h"
#include "services/worker/run/model_cache.h"
#include "services/worker/run/publisher.h"
#include "services/worker/run/result_cache.h"
#include "services/worker/unit_pace.h"
#include "services/worker/worker_metrics.h"

namespace phasor::worker {

struct RunnerConfig {
  std::string worker;
  Millis lease{15'000};
  double checkpoint_share = 0.01;  // of a run's time that checkpoints may cost
  Millis stall{20'000};            // what every unit is granted before it counts as hung
  DebugRecords::Config debug = {};
};

struct RunnerParts {
  queue::Consumer& queue;
  storage::ResultStore& store;
  engine::Engine& engine;
  ModelCache& models;
  MemoryWatch& memory;
  ResultCache& results;
  LeaseRenewer& lease;
  ProgressSink progress;
  Patience patience;
  WorkerMetrics& metrics;
  // The device is gone; called before the failure is reported.
  std::function<void()> on_device_lost;
  const trace::Tracer* tracer = nullptr;  // null: nobody wants spans
};

// What is to be known of a job in hand.
struct HeldView {
  bool over = false;  // nothing but End is left
  // Of the unit that is next; kDone: to be published.
  engine::UnitKind next = engine::UnitKind::kDone;
  StopReason stop = StopReason::kNone;  // it was asked to stop, and may go on for all that
  job::Priority priority = job::Priority::kNormal;
  double seconds_left = 0;  // of units; 0: not known
  // Its phases compute with weights that do not all stay on the device.
  bool swaps = false;
};

// What a job's end says about the worker.
struct JobEnd {
  bool came_out = false;                       // it was computed here and has its record
  std::optional<job::ErrorClass> failed = {};  // why it did not; nullopt: stopped, or as above
  Millis retry_in{0};                          // of one that failed
  // What the queue is still to be told, for the taker.
  std::optional<queue::Completion> completion = {};
};

class JobRunner {
 public:
  JobRunner(RunnerParts parts, RunnerConfig config);

  // A job in hand; for sources of this room alone.
  struct Ongoing;
  struct Drop {
    void operator()(Ongoing* job) const;
  };
  using Held = std::unique_ptr<Ongoing, Drop>;

  // Takes a job in hand, up to its first unit. `sent`: when the take that was granted was sent
  // first.
  Held Begin(const queue::Grant& grant, SteadyTime sent);
  // Does its next unit, or publishes what came out. Nothing, once it is over.
  void Advance(Ongoing& job);
  // It is over now if it must stop.
  void StopIfAsked(Ongoing& job);
  // It is over now, to be given back as far as it was saved: nothing touches its run any more.
  void Abandon(Ongoing& job);
  HeldView Look(const Ongoing& job) const;
  // Tells the queue how it ended, unless that is for the taker. The job is no longer in hand then.
  JobEnd End(Held job);

  // All of that.
  JobEnd Run(const queue::Grant& grant, SteadyTime sent);

 private:
  // What went wrong and where; the source of an OK is meaningless.
  struct Ending {
    Status status;
    job::FailureSource source = job::FailureSource::kEngine;
    StopReason stop = StopReason::kNone;

    job::ErrorClass error() const;  // of a status that is not OK and no stop
  };

  // An ending: it is over before its first unit.
  std::optional<Ending> Open(Ongoing& job);
  // Makes the run of what is to be drawn.
  std::optional<Ending> Start(Ongoing& job);
  // The last resort. False: it is not allowed, not due, or there is nothing smaller.
  bool GoSmaller(Ongoing& job, const Ending& ending);
  StatusOr<std::shared_ptr<engine::Model>> Load(Ongoing& job);
  Ending Unit(Ongoing& job, engine::Run& run);
  double SinceSubmit(const queue::Grant& grant) const;  // seconds
  Ending Encode(Ongoing& job);
  Ending Publish(Ongoing& job, const engine::RunReport& report,
                 const std::vector<Picture>& pictures, bool from_cache);
  // Whether the job has ended already; an error says that the run has to stop before the store
  // told.
  StatusOr<bool> SettleOld(Ongoing& job);
  StopReason Stop(Ongoing& job);

  // What the queue is told, and the word for it in metrics and log.
  std::string Finish(Ongoing& job, const Ending& ending);
  void GiveBack(Ongoing& job);
  std::string Fail(Ongoing& job, const Ending& ending);
  void Prepare(Ongoing& job, job::Relief relief);
  void Record(const Ongoing& job, const Ending& ending) const;
  // A part of a phase is over; its seconds.
  double Timed(Ongoing& job, const std::string& phase, SteadyTime begin);
  void Trace(Ongoing& job, const std::string& state) const;

  RunnerParts parts_;
  const RunnerConfig config_;
  const DebugRecords debug_;
  Publisher publisher_;
  UnitPace pace_;
  engine::CheckpointPace checkpoint_pace_;
  const std::shared_ptr<Pulse> pulse_ = std::make_shared<Pulse>();
};

}  // namespace phasor::worker
