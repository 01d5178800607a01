// phasor.v1.Images over gRPC's callback API: each method hands its request to a flow in the work
// pool. All are raw and parse their requests themselves (message_bytes.h). Thread-safe.
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

using RawImages =
    v1::Images::WithRawCallbackMethod_Generate<v1::Images::WithRawCallbackMethod_Submit<
        v1::Images::WithRawCallbackMethod_BatchSubmit<v1::Images::WithRawCallbackMethod_Get<
            v1::Images::WithRawCallbackMethod_Watch<v1::Images::WithRawCallbackMethod_Cancel<
                v1::Images::WithRawCallbackMethod_List<v1::Images::WithRawCallbackMethod_GetResult<
                    v1::Images::WithRawCallbackMethod_Redrive<v1::Images::CallbackService>>>>>>>>>;

class ImagesService final : public RawImages {
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

  using Call = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;
  using Stream = grpc::ServerWriteReactor<grpc::ByteBuffer>;
  Stream* Generate(Call* call, const Bytes* bytes) override;
  Reactor* Submit(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* BatchSubmit(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* Get(Call* call, const Bytes* bytes, Bytes* response) override;
  Stream* Watch(Call* call, const Bytes* bytes) override;
  Reactor* Cancel(Call* call, const Bytes* bytes, Bytes* response) override;
  Reactor* List(Call* call, const Bytes* bytes, Bytes* response) override;
  Stream* GetResult(Call* call, const Bytes* bytes) override;
  Reactor* Redrive(Call* call, const Bytes* bytes, Bytes* response) override;

 private:
  // In the pool; the client that submitted the job wants it no more.
  void CancelAbandoned(const std::string& id, const job::Caller& caller);
  PictureFeed::Parts PictureParts() const { return {parts_.reader, parts_.pictures, parts_.pool}; }

  Parts parts_;
};

}  // namespace phasor::gateway
