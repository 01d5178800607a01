// The server's end of GetResult: the pictures of a job in chunks, written as fast as the client
// reads; one that does not read is cut off (write_guard.h). gRPC's calls and the pool's take turns;
// the stream deletes itself.
#pragma once

#include <atomic>
#include <memory>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "phasor/v1/images.pb.h"
#include "services/gateway/grpc/write_guard.h"
#include "services/gateway/watch/picture_feed.h"

namespace phasor::gateway {

class ResultStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Starts at once, or ends at once if the request is not OK. `call` lives as long as the stream,
  // `guard` and the feed's parts longer.
  ResultStream(grpc::CallbackServerContext* call, const PictureFeed::Parts& parts,
               WriteGuard* guard, const Status& parsed, const v1::GetResultRequest& request,
               job::Caller caller);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { canceled_ = true; }
  void OnDone() override { delete this; }

 private:
  void Next();
  void Write(StatusOr<std::optional<v1::ResultChunk>> chunk);

  grpc::CallbackServerContext* const call_;
  WriteGuard* const guard_;
  const std::shared_ptr<PictureFeed> feed_;
  std::atomic<bool> canceled_ = false;
  grpc::ByteBuffer chunk_;  // gRPC's while it is written
};

}  // namespace phasor::gateway
