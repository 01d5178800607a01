#include "services/gateway/grpc/images_service.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "common/rpc/status_details.h"
#include "services/gateway/flow/client_status.h"
#include "services/gateway/grpc/caller_of.h"
#include "services/gateway/grpc/job_stream.h"
#include "services/gateway/grpc/message_bytes.h"
#include "services/gateway/grpc/result_stream.h"
#include "services/gateway/grpc/unary_call.h"

namespace phasor::gateway {
namespace {

constexpr int kMaxBatch = 256;
constexpr size_t kMaxBatchBytes = 4 << 20;

// An error within a message; details beyond the first wrong field do not fit.
v1::JobError ToJobError(const Status& status) {
  v1::JobError error;
  error.set_code(absl::StatusCodeToString(status.code()));
  error.set_message(Message(status));
  return error;
}

Status CheckBatch(const v1::BatchSubmitRequest& request) {
  const int count = request.requests_size();
  if (count < 1 || count > kMaxBatch) {
    return rpc::InvalidFields({{"requests", "must be 1 to " + std::to_string(kMaxBatch) +
                                                " requests, got " + std::to_string(count)}});
  }
  if (const size_t bytes = request.ByteSizeLong(); bytes > kMaxBatchBytes) {
    return rpc::InvalidFields(
        {{"requests", "have " + std::to_string(bytes) + " bytes in all; the limit is " +
                          std::to_string(kMaxBatchBytes)}});
  }
  return OkStatus();
}

// The job of a client that wants it to end when it leaves, which may be before or after the submit
// is answered. A job that was there before this client's submit is not its own.
struct OwnedJob {
  std::function<void(const std::string& id)> cancel;  // null: the client has no such wish

  void ClientLeft() {
    MutexLock lock(&mu);
    gone = true;
    if (!job_id.empty() && cancel) cancel(job_id);
  }
  // True: the client has left already.
  bool Begin(const std::string& id) {
    MutexLock lock(&mu);
    job_id = id;
    if (gone && cancel) cancel(id);
    return gone;
  }

  Mutex mu;
  std::string job_id GUARDED_BY(mu);
  bool gone GUARDED_BY(mu) = false;
};

v1::GenerateEvent AcceptedEvent(v1::SubmitResponse response) {
  v1::GenerateEvent event;
  event.mutable_accepted()->set_job_id(response.job_id());
  event.mutable_accepted()->set_duplicate(response.duplicate());
  *event.mutable_accepted()->mutable_request() = std::move(*response.mutable_request());
  return event;
}

void AddTo(v1::BatchSubmitResponse* response, SubmitFlow::Answer answer) {
  v1::BatchSubmitResponse::Item* item = response->add_items();
  if (answer.ok()) {
    SubmitGroup::LogAccepted(*answer);
    *item->mutable_accepted() = *std::move(answer);
  } else {
    *item->mutable_error() = ToJobError(ForClient(answer.status()));
  }
}

}  // namespace

ImagesService::Reactor* ImagesService::Submit(Call* call, const Bytes* bytes, Bytes* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const auto request = std::make_shared<v1::SubmitRequest>();
  if (const Status status = ParseMessage(*bytes, request.get()); !status.ok()) {
    reactor->Finish(AnswerOf(status));
    return reactor;
  }
  const bool posted = parts_.group->TryPost(
      {.items = {{&request->request(), "", CallerOf(*call)}},
       .trace_parent = SubmitGroup::TraceParent(*call),
       .canceled = [call] { return call->IsCancelled(); },
       .done =
           [reactor, request, response](std::vector<SubmitFlow::Answer> answers) {
             const SubmitFlow::Answer& answer = answers.front();
             if (answer.ok()) {
               SubmitGroup::LogAccepted(*answer);
               *response = ToBytes(*answer);
             }
             reactor->Finish(AnswerOf(answer.status()));
           }});
  if (!posted) reactor->Finish(AnswerOf(BusyStatus()));
  return reactor;
}

ImagesService::Stream* ImagesService::Generate(Call* call, const Bytes* bytes) {
  auto stream = JobStream<Bytes>::Make(
      call, {parts_.hub, parts_.guard, PictureParts()},
      {[](Watcher::Item item) { return ToBytes(ToGenerateEvent(std::move(item))); },
       [](v1::ResultChunk chunk) { return ToBytes(ToPictureEvent(std::move(chunk))); }});
  // The call may end before the submit is answered.
  const auto request = std::make_shared<v1::GenerateImagesRequest>();
  if (const Status status = ParseMessage(*bytes, request.get()); !status.ok()) {
    stream->End(status);
    return stream.get();
  }
  const job::Caller caller = CallerOf(*call);
  const auto owned = std::make_shared<OwnedJob>();
  if (request->cancel_on_disconnect()) {
    owned->cancel = [this, caller](const std::string& id) { CancelAbandoned(id, caller); };
    stream->OnDisconnect([owned] { owned->ClientLeft(); });
  }
  const bool posted = parts_.group->TryPost(
      {.items = {{&request->request(), "", caller}},
       .trace_parent = SubmitGroup::TraceParent(*call),
       .done = [stream, owned, request, caller](std::vector<SubmitFlow::Answer> answers) {
         SubmitFlow::Answer& response = answers.front();
         if (!response.ok()) return stream->End(response.status());
         SubmitGroup::LogAccepted(*response);
         if (!response->duplicate() && owned->Begin(response->job_id())) return;
         const std::string id = response->job_id();
         stream->Send(ToBytes(AcceptedEvent(*std::move(response))));
         stream->Follow(id, {.caller = caller,
                             .previews = request->request().preview_every() > 0,
                             .pictures = true,
                             .accepted = true});
       }});
  if (!posted) stream->End(BusyStatus());
  return stream.get();
}

void ImagesService::CancelAbandoned(const std::string& id, const job::Caller& caller) {
  if (!parts_.pool->TryPost(
          [this, id, caller] { (void)parts_.cancel->CancelUnlessShared(id, caller); })) {
    log::Warn("too busy to cancel the job of a client that went away", {{"job_id", id}});
  }
}

ImagesService::Reactor* ImagesService::BatchSubmit(Call* call, const Bytes* bytes,
                                                   Bytes* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const auto request = std::make_shared<v1::BatchSubmitRequest>();
  Status status = ParseMessage(*bytes, request.get());
  if (status.ok()) status = CheckBatch(*request);
  if (!status.ok()) {
    reactor->Finish(AnswerOf(status));
    return reactor;
  }
  const job::Caller caller = CallerOf(*call);
  std::vector<SubmitFlow::Item> items;
  for (const v1::GenerateRequest& one : request->requests()) {
    items.push_back({&one, "", caller});
  }
  const bool posted = parts_.group->TryPost(
      {.items = std::move(items),
       .trace_parent = SubmitGroup::TraceParent(*call),
       .canceled = [call] { return call->IsCancelled(); },
       .done =
           [reactor, request, response](std::vector<SubmitFlow::Answer> answers) {
             v1::BatchSubmitResponse told;
             for (SubmitFlow::Answer& answer : answers) AddTo(&told, std::move(answer));
             *response = ToBytes(told);
             reactor->Finish(grpc::Status::OK);
           }});
  if (!posted) reactor->Finish(AnswerOf(BusyStatus()));
  return reactor;
}

ImagesService::Reactor* ImagesService::Redrive(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::RedriveRequest, v1::Job>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::RedriveRequest& request, v1::Job* job) {
        return Give(parts_.redrive->Redrive(request.job_id(), CallerOf(*call)), job);
      });
}

ImagesService::Reactor* ImagesService::Get(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::GetJobRequest, v1::Job>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::GetJobRequest& request, v1::Job* job) {
        return Give(parts_.reader->Get(request.job_id(), CallerOf(*call)), job);
      });
}

ImagesService::Stream* ImagesService::Watch(Call* call, const Bytes* bytes) {
  auto stream = JobStream<Bytes>::Make(call, {parts_.hub, parts_.guard}, {[](Watcher::Item item) {
                                         return ToBytes(ToWatchEvent(std::move(item)));
                                       }});
  v1::WatchRequest request;
  if (const Status status = ParseMessage(*bytes, &request); !status.ok()) {
    stream->End(status);
  } else {
    stream->Follow(request.job_id(), {.caller = CallerOf(*call), .previews = request.previews()});
  }
  return stream.get();
}

ImagesService::Reactor* ImagesService::Cancel(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::CancelRequest, v1::Job>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::CancelRequest& request, v1::Job* job) {
        const Status status = Give(parts_.cancel->Cancel(request.job_id(), CallerOf(*call)), job);
        if (status.ok()) {
          log::Info("job canceled",
                    {{"job_id", job->id()}, {"state", v1::JobState_Name(job->state())}});
        }
        return status;
      });
}

ImagesService::Reactor* ImagesService::List(Call* call, const Bytes* bytes, Bytes* response) {
  return AnswerInPool<v1::ListJobsRequest, v1::ListJobsResponse>(
      call, parts_.pool, bytes, response,
      [this, call](const v1::ListJobsRequest& request, v1::ListJobsResponse* jobs) {
        return Give(parts_.reader->List(request, CallerOf(*call)), jobs);
      });
}

ImagesService::Stream* ImagesService::GetResult(Call* call, const Bytes* bytes) {
  v1::GetResultRequest request;
  const Status parsed = ParseMessage(*bytes, &request);
  return new ResultStream(call, PictureParts(), parts_.guard, parsed, request, CallerOf(*call));
}

}  // namespace phasor::gateway
