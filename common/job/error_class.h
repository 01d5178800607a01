// What kind of failure ended a try of a job. The class decides what happens next
// (common/job/verdict.h) and whether the worker doubts itself; the status code and its text are
// for the user. Pure functions.
#pragma once

#include <array>
#include <string_view>

#include "common/base/status.h"

namespace phasor::job {

enum class ErrorClass {
  kBadInput,     // the spec can't be decoded or run
  kBadModel,     // the model's files are absent, broken or of no known kind
  kOutOfMemory,  // of the device or the host
  kDeviceLost,   // the device is gone; so is the process, soon
  kTimeout,      // something took too long
  kStore,        // the pictures or the terminal record could not be put
  kInternal,     // whatever nobody foresaw
};
inline constexpr std::array<ErrorClass, 7> kErrorClasses = {
    ErrorClass::kBadInput, ErrorClass::kBadModel, ErrorClass::kOutOfMemory, ErrorClass::kDeviceLost,
    ErrorClass::kTimeout,  ErrorClass::kStore,    ErrorClass::kInternal};

// Where a failure came from.
enum class FailureSource {
  kRequest,  // the spec can't be decoded or run
  kModel,    // loading the weights
  kEngine,   // a unit of the run
  kStore,    // putting the pictures or the terminal record
};

// The class of a failed status. `device_lost` is what the engine said, and goes before the code.
ErrorClass ClassOf(StatusCode code, FailureSource source, bool device_lost = false);

// True if another try may end better: a request that can't be run stays one everywhere. A model's
// files may be broken on one node only.
bool MayPass(ErrorClass error);

// True if the failure is rather the worker's or its node's than the job's: several different jobs
// that fail like that in a row make a worker doubt itself.
bool BlamesNode(ErrorClass error);

// True if the job is to blame once it fails in the same way on a second node: what the store,
// memory or a device did says nothing about the job, on however many nodes.
bool MayBeTheJobs(ErrorClass error);

std::string_view ToString(ErrorClass error);  // "out_of_memory"

}  // namespace phasor::job
