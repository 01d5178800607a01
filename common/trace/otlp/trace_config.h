// Where a program's spans go: its settings, and OpenTelemetry's variables for the rest
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/config/settings.h"
#include "common/metrics/registry.h"
#include "common/trace/otlp/otlp_exporter.h"
#include "common/trace/span.h"

namespace phasor::trace {

struct TraceConfig {
  OtlpOptions otlp;  // without an endpoint no spans are made
  double share = 1;  // of the traces that begin here, that are told
};

void DeclareTraces(config::Settings& settings, TraceConfig* config);

// Adds headers and attributes of OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES and
// OTEL_SERVICE_NAME, or by default the program's and the process's names. INVALID_ARGUMENT names
// the setting or variable.
Status CompleteTraces(const std::string& program, const std::string& instance, TraceConfig* config);

// `registry` outlives what is returned.
std::unique_ptr<SpanSink> OpenSpans(const TraceConfig& config, metrics::Registry& registry);

}  // namespace phasor::trace
