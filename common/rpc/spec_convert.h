// The domain's words as proto and back: priorities, states, the request with all defaults filled
// in, and the bytes that the queue carries for a worker. Decoders take hostile input: they give
// INVALID_ARGUMENT, never a crash. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/job/generate_spec.h"
#include "common/job/types.h"
#include "phasor/v1/types.pb.h"

namespace phasor::rpc {

v1::Priority ToProto(job::Priority priority);
// UNSPECIFIED is NORMAL; INVALID_ARGUMENT for a number that is no priority.
StatusOr<job::Priority> FromProto(v1::Priority priority);

// What a client sees: the pipeline's phase while a worker has the job.
v1::JobState ToProto(job::State state, job::Phase phase);
// Of a worker's progress; kNone for states that are no phase.
job::Phase PhaseOf(v1::JobState state);
bool IsTerminal(v1::JobState state);

// By the API's names; AUTO and "" are the same. INVALID_ARGUMENT for a name or number that is none.
StatusOr<v1::Strategy> StrategyOf(const std::string& name);
StatusOr<std::string> NameOf(v1::Strategy strategy);

// Every field set, so that sending it again draws the same picture.
v1::GenerateRequest ToProto(const job::GenerateSpec& spec);
// Of a request that a gateway has completed; the limits of the model are not checked here.
StatusOr<job::GenerateSpec> FromProto(const v1::GenerateRequest& request);

// phasor.v1.JobSpec as bytes: masked and compressed, so that neither Redis's slow log nor MONITOR,
// a dump or a log shows what somebody wrote. That hides it from a passing eye, not from a reader.
struct JobSpec {
  job::GenerateSpec spec;
  std::string trace_parent;
  std::string fingerprint = {};  // of the request as it was sent; empty without a key
  // Whether an earlier job of the same key had ended could not be asked: look before drawing.
  bool record_unread = false;
};
std::string EncodeJobSpec(const JobSpec& spec);
// The same of a request that ToProto made: unchanged afterwards, and not copied. `rest` has the
// rest; of its spec only the places of stored pictures are looked at.
std::string EncodeJobSpec(v1::GenerateRequest* request, const JobSpec& rest);
StatusOr<JobSpec> DecodeJobSpec(std::string_view bytes);
// Of a JobSpec in bytes; empty if there is none.
std::string FingerprintOf(std::string_view spec);

}  // namespace phasor::rpc
