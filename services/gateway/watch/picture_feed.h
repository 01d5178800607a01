// The pictures of one DONE job in chunks, one after the other, for one stream: the next chunk is
// made when the stream asks for it. Holds one picture at a time (picture_cache.h). One Next at a
// time, from any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/job/caller.h"
#include "phasor/v1/images.pb.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/picture_cache.h"
#include "services/gateway/flow/work_pool.h"

namespace phasor::gateway {

class PictureFeed : public std::enable_shared_from_this<PictureFeed> {
 public:
  struct Parts {  // all outlive the feed
    JobReader* reader = nullptr;
    PictureCache* cache = nullptr;
    WorkPool* pool = nullptr;
  };
  // `only`: one picture of them.
  PictureFeed(const Parts& parts, job::JobId id, std::optional<int> only, job::Caller caller);

  // The next chunk; nullopt: there is none. Errors of JobReader::FinishedRecord and
  // PictureCache::Load; INVALID_ARGUMENT for a picture that the job does not have. Calls `on_chunk`
  // once, from the pool or before it returns.
  using OnChunk = std::function<void(StatusOr<std::optional<v1::ResultChunk>>)>;
  void Next(OnChunk on_chunk);

 private:
  Status Open();
  void Go(const OnChunk& on_chunk);
  v1::ResultChunk Cut();

  const Parts parts_;
  const job::JobId id_;
  const std::optional<int> only_;
  const job::Caller caller_;

  std::optional<storage::TerminalRecord> record_;
  v1::Result result_;
  size_t image_ = 0;  // the one that is sent
  size_t end_ = 0;
  PictureCache::Picture picture_;  // null: not loaded yet
  size_t offset_ = 0;
};

}  // namespace phasor::gateway
