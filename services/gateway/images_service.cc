#include "services/gateway/images_service.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/log/log.h"
#include "services/gateway/job_stream.h"
#include "services/gateway/result_stream.h"
#include "services/gateway/unary_call.h"

namespace phasor::gateway {
namespace {

constexpr int kMaxBatch = 256;

// An error within a message; details beyond the first wrong field do not fit.
v1::JobError ToJobError(const Status& status) {
  v1::JobError error;
  error.set_code(absl::StatusCodeToString(status.code()));
  error.set_message(Message(status));
  return error;
}

}  // namespace

grpc::ServerUnaryReactor* ImagesService::Submit(grpc::CallbackServerContext* call,
                                                const v1::SubmitRequest* request,
                                                v1::SubmitResponse* response) {
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  const bool posted = parts_.group->TryPost(
      {.call = call, .reactor = reactor, .request = request, .response = response});
  if (!posted) reactor->Finish(AnswerOf(BusyStatus()));
  return reactor;
}

grpc::ServerWriteReactor<v1::GenerateEvent>* ImagesService::Generate(
    grpc::CallbackServerContext* call, const v1::GenerateImagesRequest* request) {
  auto stream =
      JobStream<v1::GenerateEvent>::Make(call, {parts_.hub, parts_.guard}, ToGenerateEvent);
  // Set by the submit below; the client may go away before or after it.
  struct Submitted {
    Mutex mu;
    std::string job_id GUARDED_BY(mu);
    bool gone GUARDED_BY(mu) = false;
  };
  auto submitted = std::make_shared<Submitted>();
  const auto cancel = [this](const std::string& id) {
    if (!parts_.pool->TryPost([this, id] { (void)parts_.cancel->Cancel(id); })) {
      log::Warn("too busy to cancel the job of a client that went away", {{"job_id", id}});
    }
  };
  const bool cancel_on_disconnect = request->cancel_on_disconnect();
  if (cancel_on_disconnect) {
    stream->OnDisconnect([submitted, cancel] {
      MutexLock lock(&submitted->mu);
      submitted->gone = true;
      if (!submitted->job_id.empty()) cancel(submitted->job_id);
    });
  }
  // The request lives as long as the call, which may end before the pool gets to it.
  const bool posted =
      parts_.pool->TryPost([this, stream, submitted, cancel, body = request->request(),
                            trace = SubmitGroup::TraceParent(*call)] {
        auto response = parts_.submit->Submit(body, trace);
        if (!response.ok()) return stream->End(response.status());
        SubmitGroup::LogAccepted(*response);
        {
          MutexLock lock(&submitted->mu);
          submitted->job_id = response->job_id();
          if (submitted->gone) return cancel(response->job_id());
        }
        v1::GenerateEvent event;
        event.mutable_accepted()->set_job_id(response->job_id());
        event.mutable_accepted()->set_duplicate(response->duplicate());
        *event.mutable_accepted()->mutable_request() = response->request();
        stream->Send(std::move(event));
        stream->Follow(response->job_id(),
                       {.previews = body.preview_every() > 0, .pictures = true, .accepted = true});
      });
  if (!posted) stream->End(BusyStatus());
  return stream.get();
}

grpc::ServerUnaryReactor* ImagesService::BatchSubmit(grpc::CallbackServerContext* call,
                                                     const v1::BatchSubmitRequest* request,
                                                     v1::BatchSubmitResponse* response) {
  return AnswerInPool(call, parts_.pool,
                      [this, request, response, trace = SubmitGroup::TraceParent(*call)] {
                        return SubmitBatch(*request, trace, response);
                      });
}

Status ImagesService::SubmitBatch(const v1::BatchSubmitRequest& request,
                                  const std::string& trace_parent,
                                  v1::BatchSubmitResponse* response) {
  const int count = request.requests_size();
  if (count < 1 || count > kMaxBatch) {
    return rpc::InvalidFields({{"requests", "must be 1 to " + std::to_string(kMaxBatch) +
                                                " requests, got " + std::to_string(count)}});
  }
  std::vector<SubmitFlow::Item> items;
  for (const v1::GenerateRequest& one : request.requests()) items.push_back({&one, trace_parent});
  for (auto& answer : parts_.submit->SubmitAll(items)) {
    v1::BatchSubmitResponse::Item* item = response->add_items();
    if (answer.ok()) {
      SubmitGroup::LogAccepted(*answer);
      *item->mutable_accepted() = *std::move(answer);
    } else {
      *item->mutable_error() = ToJobError(ForClient(answer.status()));
    }
  }
  return OkStatus();
}

grpc::ServerUnaryReactor* ImagesService::Redrive(grpc::CallbackServerContext* call,
                                                 const v1::RedriveRequest* request,
                                                 v1::Job* response) {
  return AnswerInPool(call, parts_.pool, [this, request, response] {
    return Give(parts_.redrive->Redrive(request->job_id()), response);
  });
}

grpc::ServerUnaryReactor* ImagesService::Get(grpc::CallbackServerContext* call,
                                             const v1::GetJobRequest* request, v1::Job* response) {
  return AnswerInPool(call, parts_.pool, [this, request, response] {
    return Give(parts_.reader->Get(request->job_id()), response);
  });
}

grpc::ServerWriteReactor<v1::WatchEvent>* ImagesService::Watch(grpc::CallbackServerContext* call,
                                                               const v1::WatchRequest* request) {
  auto stream = JobStream<v1::WatchEvent>::Make(call, {parts_.hub, parts_.guard}, ToWatchEvent);
  stream->Follow(request->job_id(), {.previews = request->previews()});
  return stream.get();
}

grpc::ServerUnaryReactor* ImagesService::Cancel(grpc::CallbackServerContext* call,
                                                const v1::CancelRequest* request,
                                                v1::Job* response) {
  return AnswerInPool(call, parts_.pool, [this, request, response] {
    const Status status = Give(parts_.cancel->Cancel(request->job_id()), response);
    if (status.ok()) {
      log::Info("job canceled",
                {{"job_id", response->id()}, {"state", v1::JobState_Name(response->state())}});
    }
    return status;
  });
}

grpc::ServerUnaryReactor* ImagesService::List(grpc::CallbackServerContext* call,
                                              const v1::ListJobsRequest* request,
                                              v1::ListJobsResponse* response) {
  return AnswerInPool(call, parts_.pool, [this, request, response] {
    return Give(parts_.reader->List(*request), response);
  });
}

grpc::ServerWriteReactor<v1::ResultChunk>* ImagesService::GetResult(
    grpc::CallbackServerContext* call, const v1::GetResultRequest* request) {
  return new ResultStream(call, {parts_.reader, parts_.pool, parts_.guard}, *request);
}

}  // namespace phasor::gateway
