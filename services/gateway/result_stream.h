// The server's end of GetResult: the pictures of a job in chunks. One picture is in memory at a
// time; it is read in the work pool, checked against its digest and then written as fast as the
// client reads; one that does not read is cut off (write_guard.h). gRPC's calls and the pool's take
// turns; the stream deletes itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include <grpcpp/support/server_callback.h>

#include "phasor/v1/images.pb.h"
#include "services/gateway/job_reader.h"
#include "services/gateway/work_pool.h"
#include "services/gateway/write_guard.h"

namespace phasor::gateway {

class ResultStream final : public grpc::ServerWriteReactor<v1::ResultChunk> {
 public:
  struct Parts {  // all outlive the stream
    JobReader* reader = nullptr;
    WorkPool* pool = nullptr;
    WriteGuard* guard = nullptr;
  };
  // Starts at once; `call` lives as long as the stream.
  ResultStream(grpc::CallbackServerContext* call, const Parts& parts,
               const v1::GetResultRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { canceled_ = true; }
  void OnDone() override { delete this; }

 private:
  void Post(void (ResultStream::*step)());
  void Open();
  void LoadPicture();
  Status LoadRecord();
  void WriteChunk();

  grpc::CallbackServerContext* const call_;
  const Parts parts_;
  const std::string job_id_;
  const std::optional<int> only_;
  std::atomic<bool> canceled_ = false;

  storage::TerminalRecord record_;
  v1::Result result_;
  size_t image_ = 0;
  size_t end_ = 0;
  std::string bytes_;
  size_t offset_ = 0;
  v1::ResultChunk chunk_;
};

}  // namespace phasor::gateway
