// What a job's watchers are told while it runs: state, step, time left and previews, as messages
// for the report streams. One thread, the executor; one object per job.
#pragma once

#include <functional>
#include <string>

#include "engine/api/engine.h"
#include "phasor/v1/worker.pb.h"
#include "services/worker/running_job.h"
#include "services/worker/unit_pace.h"

namespace phasor::worker {

// Must not block.
using ProgressSink = std::function<void(const v1::JobProgress&)>;

queue::Phase PhaseOf(engine::UnitKind kind);

class ProgressReporter {
 public:
  struct Options {
    UnitPace::Shape shape;
    int steps = 0;
    int images = 1;
    int preview_every = 0;  // steps, 0: none
  };
  // References outlive the reporter.
  ProgressReporter(const queue::Fence& fence, const ProgressSink& sink, const UnitPace& pace,
                   Options options);

  void Phase(queue::Phase phase);
  // The unit that begins now.
  void BeforeUnit(const engine::Unit& unit);
  // After a step: a preview of each image when it is time.
  void AfterStep(const engine::Run& run, int steps_done);

 private:
  v1::JobProgress Message(queue::Phase phase, int step) const;

  const queue::Fence& fence_;
  const ProgressSink& sink_;
  const UnitPace& pace_;
  const Options options_;
  int step_ = 0;
};

}  // namespace phasor::worker
