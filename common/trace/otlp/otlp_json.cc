#include "common/trace/otlp/otlp_json.h"

#include <nlohmann/json.hpp>

namespace phasor::trace {
namespace {

using nlohmann::json;

constexpr int kStatusError = 2;  // STATUS_CODE_ERROR

json ValueJson(const Span::Value& value) {
  json told;
  if (const auto* text = std::get_if<std::string>(&value)) told["stringValue"] = *text;
  // 64-bit numbers are texts in the JSON of Protocol Buffers.
  if (const auto* whole = std::get_if<int64_t>(&value)) told["intValue"] = std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) told["doubleValue"] = *number;
  if (const auto* flag = std::get_if<bool>(&value)) told["boolValue"] = *flag;
  return told;
}

json SpanJson(const Span& span) {
  json attributes = json::array();
  for (const auto& [key, value] : span.attributes) {
    attributes.push_back({{"key", key}, {"value", ValueJson(value)}});
  }
  json told = {{"traceId", span.context.trace_id},
               {"spanId", span.context.span_id},
               {"name", span.name},
               {"kind", static_cast<int>(span.kind)},
               {"startTimeUnixNano", std::to_string(span.start_ns)},
               {"endTimeUnixNano", std::to_string(span.end_ns)},
               {"attributes", std::move(attributes)}};
  if (!span.parent_id.empty()) told["parentSpanId"] = span.parent_id;
  if (!span.error.empty()) {
    told["status"]["code"] = kStatusError;
    told["status"]["message"] = span.error;
  }
  return told;
}

}  // namespace

std::string OtlpJson(const std::map<std::string, std::string>& resource,
                     const std::vector<Span>& spans) {
  json attributes = json::array();
  for (const auto& [key, value] : resource) {
    attributes.push_back({{"key", key}, {"value", ValueJson(value)}});
  }
  json told = json::array();
  for (const Span& span : spans) told.push_back(SpanJson(span));
  json scope;
  scope["scope"]["name"] = "phasor";
  scope["spans"] = std::move(told);
  json process;
  process["resource"]["attributes"] = std::move(attributes);
  process["scopeSpans"].push_back(std::move(scope));
  json body;
  body["resourceSpans"].push_back(std::move(process));
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace phasor::trace
