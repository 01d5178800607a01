#include "services/gateway/watch/picture_feed.h"

#include <algorithm>
#include <utility>

#include "common/rpc/result_convert.h"
#include "common/rpc/status_details.h"

namespace phasor::gateway {
namespace {

// Small enough that a slow line takes one in time.
constexpr size_t kChunk = 256 << 10;

}  // namespace

PictureFeed::PictureFeed(const Parts& parts, job::JobId id, std::optional<int> only,
                         job::Caller caller)
    : parts_(parts), id_(std::move(id)), only_(only), caller_(std::move(caller)) {}

void PictureFeed::Next(OnChunk on_chunk) {
  if (record_) return Go(on_chunk);
  const bool posted = parts_.pool->TryPost([self = shared_from_this(), on_chunk] {
    const Status opened = self->Open();
    if (!opened.ok()) return on_chunk(opened);
    self->Go(on_chunk);
  });
  if (!posted) on_chunk(BusyStatus());
}

Status PictureFeed::Open() {
  ASSIGN_OR_RETURN(record_, parts_.reader->FinishedRecord(id_, caller_));
  result_ = rpc::ResultOf(*record_);
  end_ = record_->images.size();
  if (!only_) return OkStatus();
  if (*only_ < 0 || static_cast<size_t>(*only_) >= end_) {
    return rpc::InvalidFields({{"index", "must be between 0 and " + std::to_string(end_ - 1) +
                                             ", got " + std::to_string(*only_)}});
  }
  image_ = static_cast<size_t>(*only_);
  end_ = image_ + 1;
  return OkStatus();
}

void PictureFeed::Go(const OnChunk& on_chunk) {
  if (image_ >= end_) return on_chunk(std::optional<v1::ResultChunk>());
  if (picture_ != nullptr) return on_chunk(std::optional(Cut()));
  parts_.cache->Load(record_->images[image_], [self = shared_from_this(), on_chunk](
                                                  const StatusOr<PictureCache::Picture>& picture) {
    if (!picture.ok()) return on_chunk(picture.status());
    self->picture_ = *picture;
    on_chunk(std::optional(self->Cut()));
  });
}

v1::ResultChunk PictureFeed::Cut() {
  v1::ResultChunk chunk;
  if (offset_ == 0) *chunk.mutable_image() = result_.images(static_cast<int>(image_));
  chunk.set_offset(static_cast<int64_t>(offset_));
  const size_t length = std::min(kChunk, picture_->size() - offset_);
  chunk.set_data(picture_->data() + offset_, length);
  offset_ += length;
  if (offset_ == picture_->size()) {
    picture_.reset();
    offset_ = 0;
    ++image_;
  }
  return chunk;
}

}  // namespace phasor::gateway
