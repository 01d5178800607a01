#include "common/trace/otlp/otlp_exporter.h"

#include <algorithm>
#include <utility>

#include "common/base/percent.h"
#include "common/log/log.h"
#include "common/trace/otlp/otlp_json.h"

namespace phasor::trace {
namespace {

constexpr http::Timeouts kTimeouts{.connect = Millis(2'000), .whole = Millis(5'000)};
constexpr Millis kFirstPause{1'000};
constexpr Millis kLongestPause{30'000};

std::string UrlOf(std::string endpoint) {
  while (endpoint.ends_with('/')) endpoint.pop_back();
  return endpoint + "/v1/traces";
}

// What OTLP lists as worth another try.
bool IsPassing(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::string Trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

}  // namespace

StatusOr<std::map<std::string, std::string>> ParseOtelPairs(const std::string& text) {
  std::map<std::string, std::string> pairs;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string pair = text.substr(at, end - at);
    at = end + 1;
    if (Trimmed(pair).empty()) continue;
    const size_t equals = pair.find('=');
    const std::string key = Trimmed(pair.substr(0, equals));
    if (equals == std::string::npos || key.empty()) {
      return InvalidArgument("expected NAME=VALUE,NAME=VALUE ...");
    }
    ASSIGN_OR_RETURN(pairs[key], PercentDecode(Trimmed(pair.substr(equals + 1))));
  }
  return pairs;
}

Status CheckEndpoint(const std::string& endpoint) {
  const size_t scheme = endpoint.find("://");
  const bool known = endpoint.starts_with("http://") || endpoint.starts_with("https://");
  if (known && scheme + 3 < endpoint.size()) return OkStatus();
  return InvalidArgument(
      "must be http:// or https:// with a host and perhaps a port, as in "
      "http://otel-collector:4318; got '" +
      endpoint + "'");
}

SpanCounters::SpanCounters(metrics::Registry& registry)
    : sent(*registry.Counters("trace_spans_sent_total", "Spans that the collector took.", {})),
      dropped(*registry.Counters("trace_spans_dropped_total",
                                 "Spans that found no room or that the collector refused.", {})) {}

OtlpExporter::OtlpExporter(OtlpOptions options, metrics::Registry& registry)
    : options_(std::move(options)),
      url_(UrlOf(options_.endpoint)),
      client_(kTimeouts),
      counters_(registry),
      thread_([this] { Run(); }) {}

OtlpExporter::~OtlpExporter() {
  {
    MutexLock lock(&mu_);
    ends_ = true;
  }
  changed_.SignalAll();
  thread_.join();
}

void OtlpExporter::Add(Span span) {
  MutexLock lock(&mu_);
  if (waiting_.size() >= kMost) {
    counters_.dropped.Increment();
    return;
  }
  waiting_.push_back(std::move(span));
  if (waiting_.size() == 1 || waiting_.size() == kBatch) changed_.Signal();
}

void OtlpExporter::Run() {
  bool goes_on = true;
  for (std::vector<Span> spans = Next(); goes_on && !spans.empty(); spans = Next()) {
    goes_on = Send(spans);
  }
}

std::vector<Span> OtlpExporter::Next() {
  MutexLock lock(&mu_);
  while (!ends_ && waiting_.empty()) changed_.Wait(&mu_);
  // Some are there: a moment for others to come along.
  const SteadyTime until = std::chrono::steady_clock::now() + options_.every;
  while (!ends_ && waiting_.size() < kBatch && changed_.WaitUntil(&mu_, until)) {
  }
  const auto end = waiting_.begin() + static_cast<ptrdiff_t>(std::min(kBatch, waiting_.size()));
  std::vector<Span> spans(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return spans;
}

bool OtlpExporter::Send(const std::vector<Span>& spans) {
  const std::string body = OtlpJson(options_.resource, spans);
  const auto count = static_cast<double>(spans.size());
  Millis pause = kFirstPause;
  for (int tries = 0;; ++tries) {
    const Status status = Post(body);
    if (status.ok()) {
      counters_.sent.Increment(count);
      if (tries > 0) log::Info("the collector takes traces again", {{"tries", tries + 1}});
      return true;
    }
    if (tries == 0) log::Warn("the collector does not take traces", {{"why", status}});
    const bool refused = status.code() != StatusCode::kUnavailable;
    if (refused || !Pause(pause)) {
      counters_.dropped.Increment(count);
      return refused;
    }
    pause = std::min(2 * pause, kLongestPause);
  }
}

Status OtlpExporter::Post(const std::string& body) {
  http::Request request{
      .method = "POST", .url = url_, .headers = {"Content-Type: application/json"}, .body = body};
  for (const auto& [name, value] : options_.headers) {
    request.headers.push_back(name + ": " + value);
  }
  ASSIGN_OR_RETURN(const http::Reply reply, client_.Send(request));
  if (reply.status >= 200 && reply.status < 300) return OkStatus();
  const std::string what = "the collector answers HTTP " + std::to_string(reply.status) + ": " +
                           reply.body.substr(0, 200);
  return IsPassing(reply.status) ? Unavailable(what) : FailedPrecondition(what);
}

bool OtlpExporter::Pause(Millis time) {
  const SteadyTime until = std::chrono::steady_clock::now() + time;
  MutexLock lock(&mu_);
  while (!ends_ && changed_.WaitUntil(&mu_, until)) {
  }
  return !ends_;
}

}  // namespace phasor::trace
