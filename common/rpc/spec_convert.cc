#include "common/rpc/spec_convert.h"

#include <utility>
#include <vector>

#include "common/rpc/picture_convert.h"
#include "common/rpc/spec_pack.h"
#include "common/rpc/status_details.h"
#include "phasor/v1/job_spec.pb.h"

namespace phasor::rpc {

v1::Priority ToProto(job::Priority priority) {
  switch (priority) {
    case job::Priority::kUrgent:
      return v1::URGENT;
    case job::Priority::kHigh:
      return v1::HIGH;
    case job::Priority::kNormal:
      return v1::NORMAL;
    case job::Priority::kLow:
      return v1::LOW;
  }
  return v1::PRIORITY_UNSPECIFIED;
}

StatusOr<job::Priority> FromProto(v1::Priority priority) {
  switch (priority) {
    case v1::URGENT:
      return job::Priority::kUrgent;
    case v1::HIGH:
      return job::Priority::kHigh;
    case v1::PRIORITY_UNSPECIFIED:
    case v1::NORMAL:
      return job::Priority::kNormal;
    case v1::LOW:
      return job::Priority::kLow;
    default:
      return InvalidArgument("priority " + std::to_string(priority) + " is not known");
  }
}

v1::JobState ToProto(job::State state, job::Phase phase) {
  switch (state) {
    case job::State::kQueued:
      return v1::QUEUED;
    case job::State::kWaiting:
    case job::State::kSealing:
      return v1::RETRY_PENDING;
    case job::State::kLeased:
      switch (phase) {
        case job::Phase::kNone:
        case job::Phase::kInitializing:
          return v1::INITIALIZING;
        case job::Phase::kEncoding:
          return v1::ENCODING_PROMPT;
        case job::Phase::kDenoising:
          return v1::DIFFUSION_RUNNING;
        case job::Phase::kDecoding:
        case job::Phase::kPublishing:
          return v1::DECODING;
      }
      break;
    case job::State::kDone:
      return v1::DONE;
    case job::State::kDead:
      return v1::FAILED;
    case job::State::kCanceled:
      return v1::CANCELED;
    case job::State::kExpired:
      return v1::EXPIRED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

job::Phase PhaseOf(v1::JobState state) {
  switch (state) {
    case v1::INITIALIZING:
      return job::Phase::kInitializing;
    case v1::ENCODING_PROMPT:
      return job::Phase::kEncoding;
    case v1::DIFFUSION_RUNNING:
      return job::Phase::kDenoising;
    case v1::DECODING:
      return job::Phase::kDecoding;
    default:
      return job::Phase::kNone;
  }
}

bool IsTerminal(v1::JobState state) {
  return state == v1::DONE || state == v1::FAILED || state == v1::CANCELED || state == v1::EXPIRED;
}

StatusOr<v1::Strategy> StrategyOf(const std::string& name) {
  if (name.empty()) return v1::AUTO;
  v1::Strategy strategy = v1::AUTO;
  if (v1::Strategy_Parse(name, &strategy) && strategy != v1::STRATEGY_UNSPECIFIED) return strategy;
  std::string known;
  for (int number = v1::AUTO; number <= v1::Strategy_MAX; ++number) {
    if (!known.empty()) known += ", ";
    known += v1::Strategy_Name(static_cast<v1::Strategy>(number));
  }
  return InvalidArgument("must be one of " + known + ", got '" + name.substr(0, 64) + "'");
}

StatusOr<std::string> NameOf(v1::Strategy strategy) {
  if (!v1::Strategy_IsValid(strategy)) {
    return InvalidArgument("strategy " + std::to_string(strategy) + " is not known");
  }
  return strategy <= v1::AUTO ? std::string() : v1::Strategy_Name(strategy);
}

v1::GenerateRequest ToProto(const job::GenerateSpec& spec) {
  v1::GenerateRequest request;
  Put(spec.picture, &request);
  request.set_model(spec.model);
  request.set_priority(ToProto(spec.priority));
  request.set_deadline_ms(spec.deadline_ms);
  request.set_deadline_in_ms(spec.deadline_in_ms);
  request.set_output_format(v1::PNG);
  request.set_preview_every(spec.preview_every);
  request.set_strategy(StrategyOf(spec.strategy).value_or(v1::AUTO));
  request.set_allow_degradation(spec.allow_degradation);
  return request;
}

StatusOr<job::GenerateSpec> FromProto(const v1::GenerateRequest& request) {
  std::vector<FieldViolation> violations;
  const picture::Asked asked = AskedOf(request, &violations);
  if (!violations.empty()) return InvalidFields(violations);
  // What a gateway of another version did not send stands at its fixed default; nobody makes up a
  // seed.
  if (!asked.Has("seed")) {
    return InvalidArgument("the request lacks the seed, which the gateway fills in");
  }
  job::GenerateSpec spec;
  ASSIGN_OR_RETURN(spec.priority, FromProto(request.priority()));
  spec.model = request.model();
  spec.picture = asked.values();
  spec.preview_every = request.preview_every();
  spec.deadline_ms = request.deadline_ms();
  spec.deadline_in_ms = request.deadline_in_ms();
  ASSIGN_OR_RETURN(spec.strategy, NameOf(request.strategy()));
  spec.allow_degradation = request.allow_degradation();
  return spec;
}

std::string EncodeJobSpec(const JobSpec& spec) {
  v1::GenerateRequest request = ToProto(spec.spec);
  return EncodeJobSpec(&request, spec);
}

std::string EncodeJobSpec(v1::GenerateRequest* request, const JobSpec& rest) {
  v1::JobSpec proto;
  proto.set_trace_parent(rest.trace_parent);
  proto.set_request_fingerprint(rest.fingerprint);
  proto.set_record_unread(rest.record_unread);
  for (auto& [name, image] : ImagesOf(rest.spec.picture)) (*proto.mutable_images())[name] = image;
  proto.unsafe_arena_set_allocated_request(request);
  std::string bytes = proto.SerializeAsString();
  (void)proto.unsafe_arena_release_request();
  return PackSpec(std::move(bytes));
}

StatusOr<JobSpec> DecodeJobSpec(std::string_view bytes) {
  ASSIGN_OR_RETURN(const std::string plain, UnpackSpec(bytes));
  v1::JobSpec proto;
  if (!proto.ParseFromString(plain)) {
    return InvalidArgument("the job's spec is not a phasor.v1.JobSpec");
  }
  JobSpec result;
  ASSIGN_OR_RETURN(result.spec, FromProto(proto.request()));
  TakeImages(proto.images(), &result.spec.picture);
  result.trace_parent = proto.trace_parent();
  result.fingerprint = proto.request_fingerprint();
  result.record_unread = proto.record_unread();
  return result;
}

std::string FingerprintOf(std::string_view spec) {
  const auto decoded = DecodeJobSpec(spec);
  return decoded.ok() ? decoded->fingerprint : "";
}

}  // namespace phasor::rpc
