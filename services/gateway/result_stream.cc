#include "services/gateway/result_stream.h"

#include <algorithm>
#include <utility>

#include "common/rpc/result_convert.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/client_status.h"
#include "services/gateway/unary_call.h"

namespace phasor::gateway {
namespace {

// Small enough that a slow line takes one in time.
constexpr size_t kChunk = 256 << 10;

}  // namespace

ResultStream::ResultStream(grpc::CallbackServerContext* call, const Parts& parts,
                           const v1::GetResultRequest& request)
    : call_(call),
      parts_(parts),
      job_id_(request.job_id()),
      only_(request.has_index() ? std::optional<int>(request.index()) : std::nullopt) {
  Post(&ResultStream::Open);
}

void ResultStream::Post(void (ResultStream::*step)()) {
  if (!parts_.pool->TryPost([this, step] { (this->*step)(); })) {
    Finish(AnswerOf(BusyStatus()));
  }
}

void ResultStream::Open() {
  const Status loaded = LoadRecord();
  if (!loaded.ok()) return Finish(AnswerOf(loaded));
  LoadPicture();
}

Status ResultStream::LoadRecord() {
  ASSIGN_OR_RETURN(record_, parts_.reader->FinishedRecord(job_id_));
  result_ = rpc::ResultOf(record_);
  end_ = record_.images.size();
  if (!only_) return OkStatus();
  if (*only_ < 0 || static_cast<size_t>(*only_) >= end_) {
    return rpc::InvalidFields({{"index", "must be between 0 and " + std::to_string(end_ - 1) +
                                             ", got " + std::to_string(*only_)}});
  }
  image_ = static_cast<size_t>(*only_);
  end_ = image_ + 1;
  return OkStatus();
}

void ResultStream::LoadPicture() {
  if (canceled_) return Finish(grpc::Status::CANCELLED);
  if (image_ >= end_) return Finish(grpc::Status::OK);
  auto bytes = parts_.reader->Picture(record_.images[image_]);
  if (!bytes.ok()) return Finish(AnswerOf(bytes.status()));
  bytes_ = *std::move(bytes);
  offset_ = 0;
  WriteChunk();
}

void ResultStream::WriteChunk() {
  chunk_.Clear();
  if (offset_ == 0) {
    *chunk_.mutable_image() = result_.images(static_cast<int>(image_));
  }
  chunk_.set_offset(static_cast<int64_t>(offset_));
  const size_t length = std::min(kChunk, bytes_.size() - offset_);
  chunk_.set_data(bytes_.data() + offset_, length);
  offset_ += length;
  parts_.guard->Begin(call_);
  StartWrite(&chunk_);
}

void ResultStream::OnWriteDone(bool ok) {
  parts_.guard->End(call_);
  if (!ok) return Finish(grpc::Status::CANCELLED);
  if (offset_ < bytes_.size()) return WriteChunk();
  ++image_;
  Post(&ResultStream::LoadPicture);
}

}  // namespace phasor::gateway
