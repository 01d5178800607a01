#include "services/cli/client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <utility>

#include "common/rpc/channel.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_convert.h"

namespace phasor::cli {
namespace {

constexpr Millis kCallTimeout{30'000};
constexpr Millis kCancelTimeout{5'000};
constexpr Millis kNap{50};

std::chrono::system_clock::time_point In(Millis timeout) {
  return std::chrono::system_clock::now() + timeout;
}

// Full jitter up to 0.1 s, 0.2 s, 0.4 s ... 5 s.
Millis Pause(int failures) {
  static std::minstd_rand generator{std::random_device{}()};
  const int64_t most = std::min<int64_t>(5'000, int64_t{100} << std::min(failures, 10));
  return Millis(std::uniform_int_distribution<int64_t>(most / 2, most)(generator));
}

}  // namespace

StatusOr<std::unique_ptr<Client>> Client::Make(const std::string& address, Interrupt& interrupt,
                                               ClientPatience patience) {
  ASSIGN_OR_RETURN(auto channel, rpc::MakeChannel({.address = address}));
  return std::unique_ptr<Client>(new Client(address, std::move(channel), interrupt, patience));
}

Client::Client(std::string address, std::shared_ptr<grpc::Channel> channel, Interrupt& interrupt,
               ClientPatience patience)
    : address_(std::move(address)),
      channel_(std::move(channel)),
      interrupt_(interrupt),
      patience_(patience),
      images_(v1::Images::NewStub(channel_)),
      models_(v1::Models::NewStub(channel_)),
      admin_(v1::Admin::NewStub(channel_)) {}

bool Client::WaitToRetry(SteadyTime since, int failures) {
  const Millis limit = answered_ ? patience_.later : patience_.first;
  if (clock_.Steady() - since >= limit) return false;
  const SteadyTime until = clock_.Steady() + Pause(failures);
  while (clock_.Steady() < until) {
    if (interrupt_.raised()) return false;
    std::this_thread::sleep_for(kNap);
  }
  return true;
}

Status Client::Repeat(const std::function<grpc::Status(grpc::ClientContext*)>& attempt,
                      bool interruptible) {
  const SteadyTime since = clock_.Steady();
  for (int failures = 0;; ++failures) {
    grpc::ClientContext context;
    context.set_deadline(In(interruptible ? kCallTimeout : kCancelTimeout));
    Status status;
    if (interruptible) {
      const Interrupt::Scope scope(interrupt_, [&context] { context.TryCancel(); });
      status = rpc::FromGrpc(attempt(&context));
    } else {
      status = rpc::FromGrpc(attempt(&context));
    }
    if (status.code() != StatusCode::kUnavailable) {
      answered_ = answered_ || status.code() != StatusCode::kDeadlineExceeded;
      return status;
    }
    if (!WaitToRetry(since, failures)) {
      return interruptible && interrupt_.raised() ? Cancelled("interrupted") : status;
    }
  }
}

StatusOr<v1::SubmitResponse> Client::Submit(const v1::GenerateRequest& request) {
  v1::SubmitRequest call;
  *call.mutable_request() = request;
  v1::SubmitResponse response;
  RETURN_IF_ERROR(Repeat([&](auto* context) { return images_->Submit(context, call, &response); }));
  return response;
}

StatusOr<v1::Job> Client::Get(const std::string& id) {
  v1::GetJobRequest call;
  call.set_job_id(id);
  v1::Job job;
  RETURN_IF_ERROR(Repeat([&](auto* context) { return images_->Get(context, call, &job); }));
  return job;
}

StatusOr<v1::Job> Client::Cancel(const std::string& id) {
  v1::CancelRequest call;
  call.set_job_id(id);
  v1::Job job;
  RETURN_IF_ERROR(
      Repeat([&](auto* context) { return images_->Cancel(context, call, &job); }, false));
  return job;
}

StatusOr<v1::ListJobsResponse> Client::List(const v1::ListJobsRequest& request) {
  v1::ListJobsResponse response;
  RETURN_IF_ERROR(
      Repeat([&](auto* context) { return images_->List(context, request, &response); }));
  return response;
}

StatusOr<v1::ListModelsResponse> Client::Models() {
  v1::ListModelsResponse response;
  RETURN_IF_ERROR(Repeat([&](auto* context) { return models_->List(context, {}, &response); }));
  return response;
}

StatusOr<v1::Model> Client::Model(const std::string& name) {
  v1::GetModelRequest call;
  call.set_name(name);
  v1::Model model;
  RETURN_IF_ERROR(Repeat([&](auto* context) { return models_->Get(context, call, &model); }));
  return model;
}

StatusOr<v1::StatsResponse> Client::Stats() {
  v1::StatsResponse response;
  RETURN_IF_ERROR(Repeat([&](auto* context) { return admin_->Stats(context, {}, &response); }));
  return response;
}

grpc::Status Client::WatchOnce(grpc::ClientContext* context, const v1::WatchRequest& request,
                               const OnEvent& on_event, v1::Job* ended) {
  const auto stream = images_->Watch(context, request);
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
    const Status status = rpc::FromGrpc(WatchOnce(&context, request, hear, &ended));
    if (!ended.id().empty()) return ended;
    if (interrupt_.raised()) return Cancelled("interrupted");
    // A gateway that ends the stream early is going away; another one knows the rest.
    const bool retry = status.ok() || status.code() == StatusCode::kUnavailable;
    if (!retry) return status;
    if (!WaitToRetry(heard, failures)) {
      if (interrupt_.raised()) return Cancelled("interrupted");
      return status.ok() ? Unavailable("the stream ended before the job did") : status;
    }
  }
}

StatusOr<std::vector<v1::ImageResult>> Client::Pictures(const std::string& id) {
  v1::GetResultRequest call;
  call.set_job_id(id);
  std::vector<v1::ImageResult> pictures;
  RETURN_IF_ERROR(Repeat([&](auto* context) {
    pictures.clear();
    const auto stream = images_->GetResult(context, call);
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
  }
  return pictures;
}

}  // namespace phasor::cli
