// What is known of a job in hand; for the sources of JobRunner alone. One thread, the
// executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/rpc/spec_convert.h"
#include "services/worker/run/job_runner.h"
#include "services/worker/run/job_trace.h"

namespace phasor::worker {

struct JobRunner::Ongoing {
  Ongoing(queue::Grant the_grant, std::shared_ptr<RunningJob> the_running, const RunnerParts& parts,
          engine::CheckpointPace& pace)
      : grant(std::move(the_grant)),
        asked(rpc::DecodeJobSpec(grant.spec)),
        began(parts.patience.clock.Steady()),
        trace(parts.tracer, asked.ok() ? asked->trace_parent : "", began),
        running(std::move(the_running)),
        calls(parts.patience, parts.metrics, *running),
        checkpoints(parts.store, parts.patience, parts.metrics, pace, *running, calls) {}

  const queue::Grant grant;
  // As the gateway wrote it; its fingerprint goes into the record, to tell repeats from conflicts.
  const StatusOr<rpc::JobSpec> asked;
  const SteadyTime began;
  JobTrace trace;
  std::shared_ptr<RunningJob> running;
  StoreCalls calls;
  Checkpoints checkpoints;
  job::GenerateSpec spec;
  UnitPace::Shape shape;
  std::shared_ptr<engine::Model> model;
  std::unique_ptr<engine::Run> run;
  size_t told = 0;            // of the run's degradations, how many were counted
  bool may_save = true;       // its run may still be asked for its state
  std::optional<Ending> end;  // nullopt: it goes on
  std::vector<engine::Degradation> degradations;  // of earlier runs of this try
  std::optional<ProgressReporter> reporter;
  int steps_done = 0;
  int64_t started_ms = 0;                 // wall clock
  std::map<std::string, double> seconds;  // by phase
  std::optional<queue::Completion> completion;
  Millis retry_in{0};
};

}  // namespace phasor::worker
