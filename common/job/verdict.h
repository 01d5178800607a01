// What becomes of a job whose try failed: whether it may be tried again, when, and what the next
// try should do differently. The worker judges, for it knows the class of the failure; the queue
// then applies the verdict (common/job/lifecycle.h) and alone knows whether the tries are spent.
// A pure function: no clock, no generator, no I/O.
#pragma once

#include <string_view>

#include "common/base/clock.h"
#include "common/job/error_class.h"

namespace phasor::job {

// What a try should do differently after memory did not suffice.
enum class Relief {
  kNone,
  kCheaperPlan,    // the same picture, by a plan that needs less memory
  kSmallerPicture  // a smaller picture, for it is the last try and the user allows it
};

struct FailureFacts {
  ErrorClass error = ErrorClass::kInternal;
  int tries = 0;                   // failures reported before this one
  int crashes = 0;                 // workers lost with the job before
  int max_tries = 4;               // that the job has in all, as far as the worker knows
  bool allow_degradation = false;  // memory may cost resolution as the last resort
};

struct Verdict {
  bool retry = false;
  Millis delay{0};  // before the next try; 0 for a final failure and for a lost worker
  // The worker ends with the failure: a crash is counted and not a try, for the job is not to
  // blame unless it takes several workers with it.
  bool worker_lost = false;
  Relief relief = Relief::kNone;

  bool operator==(const Verdict&) const = default;
};

// `draw` is uniform in [0, 1). Full jitter between 1 s and min(30 s, 2^(1 + tries + crashes) s),
// after https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter.
Verdict Judge(const FailureFacts& facts, double draw);

std::string_view ToString(Relief relief);  // "cheaper_plan"

}  // namespace phasor::job
