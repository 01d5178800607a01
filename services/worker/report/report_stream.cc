#include "services/worker/report/report_stream.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <grpcpp/client_context.h>

#include "common/log/log.h"
#include "common/rpc/status_convert.h"
#include "services/worker/patience.h"

namespace phasor::worker {
namespace {

using std::chrono::steady_clock;

constexpr Millis kStatsEvery{5'000};
constexpr Millis kBetweenMessages{100};
constexpr Millis kLongestNap{200};  // until a change of the worker's state is told
constexpr Millis kShortestPause{200};
constexpr Millis kLongestPause{5'000};

void SleepUnlessStopped(const std::stop_token& stop, Millis pause) {
  std::mutex mu;
  std::condition_variable_any never;
  std::unique_lock lock(mu);
  never.wait_for(lock, stop, pause, [] { return false; });
}

// What a gateway should know at once and not only with the next regular report.
bool IsNews(const v1::WorkerStats& now, const v1::WorkerStats& heard) {
  return now.state() != heard.state() || now.jobs_done() != heard.jobs_done() ||
         now.memory_state() != heard.memory_state() || now.needs_size() != heard.needs_size() ||
         !std::equal(now.models_resident().begin(), now.models_resident().end(),
                     heard.models_resident().begin(), heard.models_resident().end());
}

Millis RestOf(const v1::PreemptJob& preempt) {
  const double seconds = std::clamp(preempt.rest_seconds(), 0.0, 60.0);
  return Millis(static_cast<int64_t>(seconds * 1000));
}

}  // namespace

ReportStream::ReportStream(std::string address, Parts parts)
    : address_(std::move(address)), parts_(std::move(parts)) {}

void ReportStream::Run(std::stop_token stop) {
  const std::stop_callback close(stop, [this] { outbox_.Close(); });
  int failures = 0;
  while (!stop.stop_requested()) {
    failures = Converse(stop) ? 0 : failures + 1;
    if (stop.stop_requested()) break;
    if (parts_.refresh) parts_.refresh();
    Complain(failures);
    SleepUnlessStopped(stop, Backoff(failures, kShortestPause, kLongestPause, parts_.draw()));
  }
}

// Each reason once, and not again with each attempt.
void ReportStream::Complain(int failures) {
  if (failures == 0) return;
  const std::string why = parts_.explain ? parts_.explain() : "";
  if (failures > 1 && why == complaint_) return;
  complaint_ = why;
  log::Warn("no report stream", {{"gateway", address_}, {"why", why.empty() ? "no answer" : why}});
}

bool ReportStream::Converse(const std::stop_token& stop) {
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto stub = v1::WorkerReport::NewStub(parts_.channel);
  const std::unique_ptr<Stream> stream = stub->Report(&context);
  v1::WorkerMessage hello;
  *hello.mutable_hello() = parts_.hello;
  std::atomic<bool> welcome = false;
  if (stream->Write(hello)) {
    // The reader ends with the stream, and wakes a writer that would not notice.
    std::stop_source ended;
    std::jthread reader([&] {
      v1::GatewayMessage message;
      while (stream->Read(&message)) {
        if (!welcome.exchange(true)) log::Info("report stream open", {{"gateway", address_}});
        Obey(message);
      }
      ended.request_stop();
    });
    Write(*stream, ended.get_token());
    context.TryCancel();
  }
  const Status end = rpc::FromGrpc(stream->Finish());
  if (!stop.stop_requested()) {
    log::Debug("report stream ended", {{"gateway", address_}, {"status", end}});
  }
  return welcome;
}

void ReportStream::Write(Stream& stream, const std::stop_token& stop) {
  auto stats_due = steady_clock::now();
  v1::WorkerStats heard;  // as the gateway knows it
  while (!stop.stop_requested()) {
    v1::WorkerMessage message;
    v1::WorkerStats stats = parts_.stats();
    if (steady_clock::now() >= stats_due || IsNews(stats, heard)) {
      stats_due = steady_clock::now() + kStatsEvery;
      heard = stats;
      *message.mutable_stats() = std::move(stats);
    } else if (auto answer = outbox_.NextAnswer()) {
      *message.mutable_done() = *std::move(answer);
    } else {
      auto progress = outbox_.Next(kLongestNap);
      // Of a job that has ended meanwhile it would make a gateway take the worker for busy.
      if (!progress.has_value() || progress->job_id() != parts_.stats().job_id()) continue;
      *message.mutable_progress() = *std::move(progress);
    }
    if (!stream.Write(message)) return;
    if (message.has_progress()) SleepUnlessStopped(stop, kBetweenMessages);
  }
}

void ReportStream::Give(Order order, int64_t number) {
  if (number != 0) {
    order.done = [this, number](const Status& status, uint64_t freed) {
      v1::OrderDone done;
      done.set_order(number);
      done.set_code(static_cast<int32_t>(status.code()));
      done.set_message(Message(status));
      done.set_freed_bytes(static_cast<int64_t>(freed));
      outbox_.Put(done);
    };
  }
  parts_.commands.order(std::move(order));
}

void ReportStream::Obey(const v1::GatewayMessage& message) {
  switch (message.message_case()) {
    case v1::GatewayMessage::kCancel:
      parts_.commands.cancel(message.cancel().job_id());
      break;
    case v1::GatewayMessage::kPreempt:
      parts_.commands.preempt(message.preempt().job_id(), RestOf(message.preempt()));
      break;
    case v1::GatewayMessage::kDrain:
      parts_.commands.drain();
      break;
    case v1::GatewayMessage::kPreload:
      Give({.kind = Order::Kind::kLoad,
            .model = message.preload().model(),
            .pin = message.preload().pin()},
           message.preload().order());
      break;
    case v1::GatewayMessage::kUnload:
      Give({.kind = Order::Kind::kUnload, .model = message.unload().model()},
           message.unload().order());
      break;
    case v1::GatewayMessage::kCleanup:
      Give({.kind = Order::Kind::kCleanup}, message.cleanup().order());
      break;
    case v1::GatewayMessage::kWelcome:
    case v1::GatewayMessage::MESSAGE_NOT_SET:
      break;
  }
}

}  // namespace phasor::worker
