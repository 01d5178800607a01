// phasor.v1.Images over gRPC's callback API: each method hands its request to a flow in the work
// pool. Those whose requests carry people's texts parse them themselves (message_bytes.h).
// Thread-safe.
#pragma once

#include "phasor/v1/images.grpc.pb.h"
#include "services/gateway/flow/cancel_flow.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/redrive_flow.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/grpc/submit_group.h"
#include "services/gateway/grpc/write_guard.h"
#include "services/gateway/watch/picture_feed.h"
#include "services/gateway/watch/watcher_hub.h"

namespace phasor::gateway {

// With these three raw.
using ImagesCallbacks =
    v1::Images::WithRawCallbackMethod_Generate<v1::Images::WithRawCallbackMethod_Submit<
        v1::Images::WithRawCallbackMethod_BatchSubmit<v1::Images::CallbackService>>>;

class ImagesService final : public ImagesCallbacks {
 public:
  struct Parts {  // all outlive the service
    SubmitGroup* group = nullptr;
    CancelFlow* cancel = nullptr;
    RedriveFlow* redrive = nullptr;
    JobReader* reader = nullptr;
    WatcherHub* hub = nullptr;
    WriteGuard* guard = nullptr;
    PictureCache* pictures = nullptr;
    WorkPool* pool = nullptr;
  };
  explicit ImagesService(const Parts& parts) : parts_(parts) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Generate(grpc::CallbackServerContext* call,
                                                       const grpc::ByteBuffer* bytes) override;
  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* call, const grpc::ByteBuffer* bytes,
                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* BatchSubmit(grpc::CallbackServerContext* call,
                                        const grpc::ByteBuffer* bytes,
                                        grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* Get(grpc::CallbackServerContext* call, const v1::GetJobRequest* request,
                                v1::Job* response) override;
  grpc::ServerWriteReactor<v1::WatchEvent>* Watch(grpc::CallbackServerContext* call,
                                                  const v1::WatchRequest* request) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext* call,
                                   const v1::CancelRequest* request, v1::Job* response) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* call,
                                 const v1::ListJobsRequest* request,
                                 v1::ListJobsResponse* response) override;
  grpc::ServerWriteReactor<v1::ResultChunk>* GetResult(
      grpc::CallbackServerContext* call, const v1::GetResultRequest* request) override;
  grpc::ServerUnaryReactor* Redrive(grpc::CallbackServerContext* call,
                                    const v1::RedriveRequest* request, v1::Job* response) override;

 private:
  // In the pool; the client that submitted the job wants it no more.
  void CancelAbandoned(const std::string& id, const job::Caller& caller);
  PictureFeed::Parts PictureParts() const { return {parts_.reader, parts_.pictures, parts_.pool}; }

  Parts parts_;
};

}  // namespace phasor::gateway
