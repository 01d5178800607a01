// Whether a job that failed is tried again, and when. A pure function of what went wrong and how
// often things went wrong before: no clock, no generator, no I/O.
//
// A failure is final when trying again would find the same: the request or the model is at fault.
// Memory, stores and whatever nobody foresaw may do better next time, perhaps on another worker.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"

namespace phasor::job {

// Where a failure came from.
enum class FailureSource {
  kRequest,  // the spec can't be decoded or run
  kModel,    // loading the weights
  kEngine,   // a unit of the run
  kStore,    // putting the pictures or the terminal record
};

struct FailureFacts {
  StatusCode code = StatusCode::kInternal;
  FailureSource source = FailureSource::kEngine;
  int tries = 0;      // failures reported before this one
  int crashes = 0;    // workers lost with the job before
  int max_tries = 4;  // failures that make a job dead, this one included
};

struct RetryDecision {
  bool retry = false;
  Millis delay{0};  // before the next try; 0 for a final failure

  bool operator==(const RetryDecision&) const = default;
};

// `draw` is uniform in [0, 1). Full jitter between 1 s and min(30 s, 2^(1 + tries + crashes) s),
// after https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter.
RetryDecision DecideRetry(const FailureFacts& facts, double draw);

}  // namespace phasor::job
