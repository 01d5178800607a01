#include "common/job/error_class.h"

namespace phasor::job {
namespace {

ErrorClass FaultOf(FailureSource source) {
  return source == FailureSource::kModel ? ErrorClass::kBadModel : ErrorClass::kBadInput;
}

}  // namespace

ErrorClass ClassOf(StatusCode code, FailureSource source, bool device_lost) {
  if (device_lost) return ErrorClass::kDeviceLost;
  if (source == FailureSource::kStore) return ErrorClass::kStore;
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
    case StatusCode::kUnimplemented:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
      return FaultOf(source);
    case StatusCode::kFailedPrecondition:
    case StatusCode::kDataLoss:
      // A running engine that says so is in a state that nobody foresaw.
      return source == FailureSource::kEngine ? ErrorClass::kInternal : FaultOf(source);
    case StatusCode::kResourceExhausted:
      return ErrorClass::kOutOfMemory;
    case StatusCode::kDeadlineExceeded:
      return ErrorClass::kTimeout;
    case StatusCode::kOk:
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
    case StatusCode::kAborted:
    case StatusCode::kInternal:
    case StatusCode::kUnavailable:
    default:
      return ErrorClass::kInternal;
  }
}

bool MayPass(ErrorClass error) {
  switch (error) {
    case ErrorClass::kBadInput:
      return false;
    case ErrorClass::kBadModel:
    case ErrorClass::kOutOfMemory:
    case ErrorClass::kDeviceLost:
    case ErrorClass::kTimeout:
    case ErrorClass::kStore:
    case ErrorClass::kInternal:
      return true;
  }
  return true;
}

bool BlamesNode(ErrorClass error) {
  switch (error) {
    case ErrorClass::kBadInput:
    case ErrorClass::kOutOfMemory:  // a job may be too large for every worker
      return false;
    case ErrorClass::kBadModel:
    case ErrorClass::kDeviceLost:
    case ErrorClass::kTimeout:
    case ErrorClass::kStore:
    case ErrorClass::kInternal:
      return true;
  }
  return true;
}

bool MayBeTheJobs(ErrorClass error) {
  switch (error) {
    case ErrorClass::kOutOfMemory:
    case ErrorClass::kDeviceLost:
    case ErrorClass::kStore:
      return false;
    case ErrorClass::kBadInput:
    case ErrorClass::kBadModel:
    case ErrorClass::kTimeout:
    case ErrorClass::kInternal:
      return true;
  }
  return false;
}

std::string_view ToString(ErrorClass error) {
  switch (error) {
    case ErrorClass::kBadInput:
      return "bad_input";
    case ErrorClass::kBadModel:
      return "bad_model";
    case ErrorClass::kOutOfMemory:
      return "out_of_memory";
    case ErrorClass::kDeviceLost:
      return "device_lost";
    case ErrorClass::kTimeout:
      return "timeout";
    case ErrorClass::kStore:
      return "store";
    case ErrorClass::kInternal:
      return "internal";
  }
  return "unknown";
}

}  // namespace phasor::job
