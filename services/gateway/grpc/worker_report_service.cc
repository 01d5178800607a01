#include "services/gateway/grpc/worker_report_service.h"

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/grpc/message_bytes.h"
#include "services/gateway/watch/progress_relay.h"

namespace phasor::gateway {
namespace {

constexpr size_t kMaxCommands = 256;  // unread by a worker; later ones are dropped
constexpr size_t kMaxName = 200;

queue::Event ToEvent(const v1::JobProgress& progress, const std::string& worker) {
  queue::Event event;
  event.id = progress.job_id();
  event.epoch = progress.epoch();
  event.state = queue::State::kLeased;
  event.phase = rpc::PhaseOf(progress.state());
  event.step = progress.step();
  event.steps = progress.steps();
  event.seconds_left = progress.seconds_left();
  event.worker = worker;
  event.preview = progress.preview_png();
  event.preview_image = progress.preview_image();
  return event;
}

}  // namespace

struct WorkerReportService::Streams {
  Mutex mu;
  std::set<std::shared_ptr<Stream>> open GUARDED_BY(mu);
  bool closed GUARDED_BY(mu) = false;
};

// One worker's stream. gRPC reads one message at a time; writes come from any thread.
class WorkerReportService::Stream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public std::enable_shared_from_this<Stream> {
 public:
  Stream(const Parts& parts, std::shared_ptr<Streams> streams)
      : parts_(parts),
        streams_(std::move(streams)),
        relay_(std::make_shared<ProgressRelay>(parts.events, parts.pool)) {}

  void Begin() { StartRead(&incoming_); }

  void OnReadDone(bool ok) override {
    if (!ok) return End(OkStatus());
    v1::WorkerMessage message;
    Status taken = ParseMessage(incoming_, &message);
    if (taken.ok()) taken = TakeIn(message);
    if (!taken.ok()) return End(taken);
    incoming_.Clear();
    StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(&mu_);
      writing_ = false;
    }
    if (!ok) return End(Cancelled("the worker went away"));
    Pump();
  }

  void OnCancel() override { End(Cancelled("the worker went away")); }

  void OnDone() override {
    if (ticket_) {
      parts_.registry->Disconnect(*ticket_);
      parts_.orders->OnDisconnect(name_);
      log::Info("worker disconnected", {{"worker", name_}});
    }
    MutexLock lock(&streams_->mu);
    streams_->open.erase(shared_from_this());
  }

  void Send(const v1::GatewayMessage& message) {
    {
      MutexLock lock(&mu_);
      if (commands_.size() >= kMaxCommands) return;
      commands_.push_back(message);
    }
    Pump();
  }

  void End(const Status& status) {
    {
      MutexLock lock(&mu_);
      if (!end_) end_ = status;
    }
    Pump();
  }

 private:
  Status TakeIn(const v1::WorkerMessage& message) {
    switch (message.message_case()) {
      case v1::WorkerMessage::kHello:
        return TakeInHello(message.hello());
      case v1::WorkerMessage::kStats:
        if (!ticket_) return FailedPrecondition("the first message must be hello");
        parts_.registry->OnStats(*ticket_, message.stats());
        return OkStatus();
      case v1::WorkerMessage::kProgress:
        if (!ticket_) return FailedPrecondition("the first message must be hello");
        if (!job::IsValidJobId(message.progress().job_id())) {
          return rpc::InvalidFields({{"progress.job_id", "is not the id of a job"}});
        }
        parts_.registry->OnProgress(*ticket_, message.progress());
        relay_->Offer(ToEvent(message.progress(), name_));
        return OkStatus();
      case v1::WorkerMessage::kDone:
        if (!ticket_) return FailedPrecondition("the first message must be hello");
        parts_.orders->OnDone(message.done());
        return OkStatus();
      case v1::WorkerMessage::MESSAGE_NOT_SET:
        return OkStatus();  // of a newer worker
    }
    return OkStatus();
  }

  Status TakeInHello(const v1::Hello& hello) {
    if (ticket_) return FailedPrecondition("hello may be said only once");
    if (hello.name().empty() || hello.name().size() > kMaxName) {
      return rpc::InvalidFields({{"hello.name", "must have 1 to 200 bytes"}});
    }
    name_ = hello.name();
    ticket_ = parts_.registry->Connect(hello, [weak = weak_from_this()](const auto& message) {
      if (const auto self = weak.lock()) self->Send(message);
    });
    log::Info("worker connected", {{"worker", name_}, {"device", hello.device()}});
    v1::GatewayMessage welcome;
    welcome.mutable_welcome()->set_gateway(parts_.gateway);
    Send(welcome);
    return OkStatus();
  }

  void Pump() {
    std::optional<Status> finish;
    {
      MutexLock lock(&mu_);
      if (writing_ || finished_) return;
      if (end_) {
        finished_ = true;
        finish = end_;
      } else if (!commands_.empty()) {
        outgoing_ = ToBytes(commands_.front());
        commands_.pop_front();
        writing_ = true;
      } else {
        return;
      }
    }
    if (finish) {
      Finish(rpc::ToGrpc(*finish));
    } else {
      StartWrite(&outgoing_);
    }
  }

  const Parts parts_;
  const std::shared_ptr<Streams> streams_;
  const std::shared_ptr<ProgressRelay> relay_;

  // Of the thread that reads.
  grpc::ByteBuffer incoming_;
  std::optional<WorkerRegistry::Ticket> ticket_;
  std::string name_;

  Mutex mu_;
  std::deque<v1::GatewayMessage> commands_ GUARDED_BY(mu_);
  std::optional<Status> end_ GUARDED_BY(mu_);
  bool writing_ GUARDED_BY(mu_) = false;
  bool finished_ GUARDED_BY(mu_) = false;
  grpc::ByteBuffer outgoing_;  // gRPC's while writing_
};

WorkerReportService::WorkerReportService(const Parts& parts)
    : parts_(parts), streams_(std::make_shared<Streams>()) {}

WorkerReportService::~WorkerReportService() = default;

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* WorkerReportService::Report(
    grpc::CallbackServerContext* /*call*/) {
  auto stream = std::make_shared<Stream>(parts_, streams_);
  bool closed = false;
  {
    MutexLock lock(&streams_->mu);
    streams_->open.insert(stream);
    closed = streams_->closed;
  }
  stream->Begin();
  if (closed) stream->End(Public(Unavailable("the gateway is shutting down")));
  return stream.get();
}

void WorkerReportService::Close() {
  std::vector<std::shared_ptr<Stream>> open;
  {
    MutexLock lock(&streams_->mu);
    streams_->closed = true;
    open.assign(streams_->open.begin(), streams_->open.end());
  }
  for (const auto& stream : open) stream->End(Public(Unavailable("the gateway is shutting down")));
}

}  // namespace phasor::gateway
