#include "common/trace/otlp/trace_config.h"

#include <map>

#include "common/base/environment.h"

namespace phasor::trace {
namespace {

StatusOr<std::map<std::string, std::string>> PairsOf(const char* variable) {
  ASSIGN_OR_RETURN(const std::string text, ReadVariable(variable));
  auto pairs = ParseOtelPairs(text);
  if (!pairs.ok()) return Annotate(pairs.status(), variable);
  return pairs;
}

}  // namespace

void DeclareTraces(config::Settings& settings, TraceConfig* config) {
  settings.Text({"otlp_endpoint",
                 "OpenTelemetry collector for traces, http:// or https://host[:port] "
                 "(docs/tracing.md); default: none are made",
                 "", "OTEL_EXPORTER_OTLP_ENDPOINT"},
                &config->otlp.endpoint);
  settings.Number({"trace_share", "share of the traces that begin here that is sent"}, 0, 1,
                  &config->share);
}

Status CompleteTraces(const std::string& program, const std::string& instance,
                      TraceConfig* config) {
  OtlpOptions& otlp = config->otlp;
  if (otlp.endpoint.empty()) return OkStatus();
  RETURN_IF_ERROR(Annotate(CheckEndpoint(otlp.endpoint), "--otlp-endpoint"));
  ASSIGN_OR_RETURN(otlp.headers, PairsOf("OTEL_EXPORTER_OTLP_HEADERS"));
  ASSIGN_OR_RETURN(otlp.resource, PairsOf("OTEL_RESOURCE_ATTRIBUTES"));
  otlp.resource.emplace("service.name", program);
  otlp.resource.emplace("service.namespace", "phasor");
  otlp.resource.emplace("service.instance.id", instance);
  ASSIGN_OR_RETURN(const std::string name, ReadVariable("OTEL_SERVICE_NAME"));
  if (!name.empty()) otlp.resource["service.name"] = name;
  return OkStatus();
}

std::unique_ptr<SpanSink> OpenSpans(const TraceConfig& config, metrics::Registry& registry) {
  const SpanCounters counters(registry);
  if (config.otlp.endpoint.empty()) return std::make_unique<NoSpans>();
  return std::make_unique<OtlpExporter>(config.otlp, registry);
}

}  // namespace phasor::trace
