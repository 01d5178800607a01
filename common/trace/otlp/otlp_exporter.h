// Sends spans to an OpenTelemetry collector: OTLP over HTTP, as JSON. Whoever adds a span never
// waits: a thread sends what has come every second, at most kBatch at a time. What a collector does
// not take (it is away, or busy) is tried again with growing pauses; what comes meanwhile waits as
// long as there is room, and is then dropped and counted. Traces are for looking at: nothing
// depends on them. Thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/http/client.h"
#include "common/metrics/registry.h"
#include "common/trace/span.h"

namespace phasor::trace {

struct OtlpOptions {
  // Of the collector, e.g. "http://otel-collector:4318"; "/v1/traces" is added to its path.
  std::string endpoint;
  // Of each request, e.g. for a credential; they stand in no message.
  std::map<std::string, std::string> headers = {};
  // What tells this process: "service.name", "service.instance.id" ...
  std::map<std::string, std::string> resource = {};
  Millis every{1'000};
};

// "a=b,c=d", percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES have it.
// INVALID_ARGUMENT does not repeat values.
StatusOr<std::map<std::string, std::string>> ParseOtelPairs(const std::string& text);

// What became of spans. They are there, at 0, where none are made, too.
struct SpanCounters {
  explicit SpanCounters(metrics::Registry& registry);
  metrics::Counter& sent;
  metrics::Counter& dropped;
};

// INVALID_ARGUMENT if it is no URL of http or https.
Status CheckEndpoint(const std::string& endpoint);

class OtlpExporter final : public SpanSink {
 public:
  static constexpr size_t kBatch = 512;
  static constexpr size_t kMost = 8'192;  // that wait

  // `registry` outlives it.
  OtlpExporter(OtlpOptions options, metrics::Registry& registry);
  // Sends what waits, once.
  ~OtlpExporter() override;

  bool wants() const override { return true; }
  void Add(Span span) override;

 private:
  void Run();
  // At most kBatch of those that wait; empty once it is to end and none does.
  std::vector<Span> Next();
  // Until the collector has them or refuses them for good; false: all is to end before.
  bool Send(const std::vector<Span>& spans);
  // OK; UNAVAILABLE: worth another try; anything else: not.
  Status Post(const std::string& body);
  // False: it is to end.
  bool Pause(Millis time);

  const OtlpOptions options_;
  const std::string url_;
  http::Client client_;
  const SpanCounters counters_;
  Mutex mu_;
  CondVar changed_;
  bool ends_ GUARDED_BY(mu_) = false;
  std::deque<Span> waiting_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace phasor::trace
