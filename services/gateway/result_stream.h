// The server's end of GetResult: the pictures of a job in chunks of at most 1 MiB. One picture is
// in memory at a time; it is read in the work pool, checked against its digest and then written
// as fast as the client reads. gRPC's calls and the pool's take turns; the stream deletes itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include <grpcpp/support/server_callback.h>

#include "phasor/v1/images.pb.h"
#include "services/gateway/job_reader.h"
#include "services/gateway/work_pool.h"

namespace phasor::gateway {

class ResultStream final : public grpc::ServerWriteReactor<v1::ResultChunk> {
 public:
  // Starts at once; reader and pool outlive the stream.
  ResultStream(JobReader* reader, WorkPool* pool, const v1::GetResultRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { canceled_ = true; }
  void OnDone() override { delete this; }

 private:
  void Post(void (ResultStream::*step)());
  void Open();
  void LoadPicture();
  Status LoadRecord();
  void WriteChunk();

  JobReader* const reader_;
  WorkPool* const pool_;
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
