// Spans as OTLP's JSON, the body of a POST to /v1/traces
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding). A pure function.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/trace/span.h"

namespace phasor::trace {

// `resource`: what tells the process, such as service.name. Bytes that are no UTF-8 are replaced.
std::string OtlpJson(const std::map<std::string, std::string>& resource,
                     const std::vector<Span>& spans);

}  // namespace phasor::trace
