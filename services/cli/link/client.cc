#include "services/cli/link/client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "common/base/hash.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_convert.h"

namespace phasor::cli {
namespace {

constexpr Millis kCallTimeout{30'000};
// Where another gateway can be asked instead.
constexpr Millis kCallTimeoutOfMany{10'000};
constexpr Millis kCancelTimeout{5'000};
constexpr Millis kFetchTimeout{300'000};  // pictures over a slow line
constexpr Millis kNap{50};
// A fleet that loses a job again and again is not coming back.
constexpr int kMaxResubmits = 5;

std::chrono::system_clock::time_point In(Millis timeout) {
  return std::chrono::system_clock::now() + timeout;
}

// Jitter below 0.1 s, 0.2 s, 0.4 s ... 5 s, at least half of it.
Millis Pause(int rounds) {
  static std::minstd_rand generator{std::random_device{}()};
  const int64_t most = std::min<int64_t>(5'000, int64_t{100} << std::min(rounds, 10));
  return Millis(std::uniform_int_distribution<int64_t>(most / 2, most)(generator));
}

}  // namespace

StatusOr<std::unique_ptr<Client>> Client::Make(const Link& link, Interrupt& interrupt,
                                               ClientPatience patience) {
  ASSIGN_OR_RETURN(Gateways gateways, Gateways::Make(link));
  return std::unique_ptr<Client>(
      new Client(std::move(gateways), link.trace_parent, interrupt, patience));
}

Client::Client(Gateways gateways, std::string trace_parent, Interrupt& interrupt,
               ClientPatience patience)
    : gateways_(std::move(gateways)),
      trace_parent_(std::move(trace_parent)),
      interrupt_(interrupt),
      patience_(patience) {}

bool Client::GoOn(SteadyTime since, int failures) {
  gateways_.GoOn();
  const int count = static_cast<int>(gateways_.size());
  if ((failures + 1) % count != 0) return !interrupt_.raised();
  const Millis limit = answered_ ? patience_.later : patience_.first;
  if (clock_.Steady() - since >= limit) return false;
  const SteadyTime until = clock_.Steady() + Pause(failures / count);
  while (clock_.Steady() < until) {
    if (interrupt_.raised()) return false;
    std::this_thread::sleep_for(kNap);
  }
  return true;
}

// gRPC ends calls that reach a server while it shuts down as CANCELLED. Only an interrupt cancels
// calls here, so without one the gateway is going away.
Status Client::StatusOf(const grpc::Status& status) const {
  if (status.error_code() == grpc::StatusCode::CANCELLED && !interrupt_.raised()) {
    return Unavailable("the gateway is shutting down");
  }
  return rpc::FromGrpc(status);
}

// A gateway that hangs is as good as one that is away when there is another.
bool Client::IsAway(const Status& status) const {
  return status.code() == StatusCode::kUnavailable ||
         (status.code() == StatusCode::kDeadlineExceeded && gateways_.size() > 1);
}

Millis Client::call_timeout() const {
  return gateways_.size() > 1 ? kCallTimeoutOfMany : kCallTimeout;
}

Status Client::Repeat(Millis timeout, const Attempt& attempt, bool interruptible) {
  const SteadyTime since = clock_.Steady();
  for (int failures = 0;; ++failures) {
    grpc::ClientContext context;
    context.set_deadline(In(timeout));
    if (!trace_parent_.empty()) context.AddMetadata("traceparent", trace_parent_);
    Status status;
    if (interruptible) {
      const Interrupt::Scope scope(interrupt_, [&context] { context.TryCancel(); });
      status = StatusOf(attempt(&context));
    } else {
      status = StatusOf(attempt(&context));
    }
    if (!IsAway(status)) {
      answered_ = answered_ || status.code() != StatusCode::kDeadlineExceeded;
      return status;
    }
    if (!GoOn(since, failures)) {
      return interruptible && interrupt_.raised() ? Cancelled("interrupted") : status;
    }
  }
}

StatusOr<v1::SubmitResponse> Client::Submit(const v1::GenerateRequest& request) {
  v1::SubmitRequest call;
  *call.mutable_request() = request;
  return Ask(&v1::Images::Stub::Submit, call);
}

StatusOr<v1::Job> Client::Cancel(const std::string& id) {
  v1::CancelRequest call;
  call.set_job_id(id);
  v1::Job job;
  RETURN_IF_ERROR(Repeat(
      kCancelTimeout,
      [&](auto* context) { return gateways_.stub<v1::Images::Stub>().Cancel(context, call, &job); },
      false));
  return job;
}

grpc::Status Client::WatchOnce(grpc::ClientContext* context, const v1::WatchRequest& request,
                               const OnEvent& on_event, v1::Job* ended) {
  const auto stream = gateways_.stub<v1::Images::Stub>().Watch(context, request);
  v1::WatchEvent event;
  while (stream->Read(&event)) {
    answered_ = true;
    on_event(event);
    if (event.has_job() && rpc::IsTerminal(event.job().state())) *ended = event.job();
  }
  return stream->Finish();
}

StatusOr<v1::Job> Client::Watch(const std::string& id, bool previews, const OnEvent& on_event) {
  v1::WatchRequest request;
  request.set_job_id(id);
  request.set_previews(previews);
  SteadyTime heard = clock_.Steady();
  for (int failures = 0;; ++failures) {
    grpc::ClientContext context;
    const Interrupt::Scope scope(interrupt_, [&context] { context.TryCancel(); });
    v1::Job ended;
    const auto hear = [&](const v1::WatchEvent& event) {
      heard = clock_.Steady();
      failures = 0;
      on_event(event);
    };
    const Status status = StatusOf(WatchOnce(&context, request, hear, &ended));
    if (!ended.id().empty()) return ended;
    if (interrupt_.raised()) return Cancelled("interrupted");
    // A gateway that ends the stream early is going away; another one knows the rest.
    if (!status.ok() && !IsAway(status)) return status;
    if (!GoOn(heard, failures)) {
      if (interrupt_.raised()) return Cancelled("interrupted");
      return status.ok() ? Unavailable("the stream ended before the job did") : status;
    }
  }
}

StatusOr<v1::Job> Client::WatchSubmitted(const v1::GenerateRequest& request, const std::string& id,
                                         const OnEvent& on_event) {
  for (int resubmits = 0;; ++resubmits) {
    auto ended = Watch(id, false, on_event);
    const bool lost = ended.status().code() == StatusCode::kNotFound;
    if (!lost || resubmits == kMaxResubmits) return ended;
    ASSIGN_OR_RETURN(const v1::SubmitResponse again, Submit(request));
    if (again.job_id() != id) return ended;  // of a fleet with another secret
  }
}

StatusOr<std::vector<v1::ImageResult>> Client::Pictures(const std::string& id) {
  v1::GetResultRequest call;
  call.set_job_id(id);
  std::vector<v1::ImageResult> pictures;
  RETURN_IF_ERROR(Repeat(kFetchTimeout, [&](auto* context) {
    pictures.clear();
    const auto stream = gateways_.stub<v1::Images::Stub>().GetResult(context, call);
    v1::ResultChunk chunk;
    while (stream->Read(&chunk)) {
      if (chunk.has_image()) pictures.push_back(chunk.image());
      if (!pictures.empty()) pictures.back().mutable_data()->append(chunk.data());
    }
    return stream->Finish();
  }));
  for (const v1::ImageResult& picture : pictures) {
    if (static_cast<int64_t>(picture.data().size()) != picture.size_bytes()) {
      return DataLoss("picture " + std::to_string(picture.index()) + " arrived incomplete");
    }
    if (Sha256Hex(picture.data()) != picture.sha256()) {
      return DataLoss("picture " + std::to_string(picture.index()) + " arrived damaged");
    }
  }
  return pictures;
}

}  // namespace phasor::cli
