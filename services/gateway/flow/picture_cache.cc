#include "services/gateway/flow/picture_cache.h"

#include <utility>

namespace phasor::gateway {

PictureCache::PictureCache(const Parts& parts, uint64_t budget_bytes)
    : parts_(parts),
      budget_(budget_bytes),
      gauge_(*parts.metrics->Gauges("gateway_picture_bytes",
                                    "Bytes of pictures in memory that streams are sending.")) {}

uint64_t PictureCache::bytes() {
  MutexLock lock(&mu_);
  return used_;
}

void PictureCache::Load(const storage::ResultImage& image, OnPicture on_picture) {
  Picture there;
  {
    MutexLock lock(&mu_);
    Entry& entry = entries_[image.blob];
    there = entry.picture.lock();
    if (there == nullptr) {
      entry.waiting.push_back(std::move(on_picture));
      if (entry.asked) return;
      entry.asked = true;
      entry.image = image;
      queue_.push_back(image.blob);
    }
  }
  if (there != nullptr) return on_picture(there);
  Admit();
}

void PictureCache::Admit() {
  std::vector<storage::ResultImage> admitted;
  {
    MutexLock lock(&mu_);
    while (!queue_.empty()) {
      const storage::ResultImage& image = entries_.at(queue_.front()).image;
      if (used_ > 0 && used_ + image.bytes > budget_) break;
      used_ += image.bytes;
      admitted.push_back(image);
      queue_.pop_front();
    }
    gauge_.Set(static_cast<double>(used_));
  }
  for (const storage::ResultImage& image : admitted) {
    if (parts_.pool->TryPost([this, image] { Read(image); })) continue;
    Tell(image.blob, BusyStatus());
    Release(image.blob, image.bytes);
  }
}

void PictureCache::Read(const storage::ResultImage& image) {
  auto bytes = parts_.reader->Picture(image);
  if (bytes.ok()) return Tell(image.blob, Hold(image.blob, *std::move(bytes), image.bytes));
  Tell(image.blob, bytes.status());
  Release(image.blob, image.bytes);
}

PictureCache::Picture PictureCache::Hold(const std::string& blob, std::string bytes,
                                         uint64_t charged) {
  return {new std::string(std::move(bytes)), [this, blob, charged](const std::string* held) {
            delete held;
            Release(blob, charged);
          }};
}

void PictureCache::Tell(const std::string& blob, const StatusOr<Picture>& picture) {
  std::vector<OnPicture> waiting;
  {
    MutexLock lock(&mu_);
    Entry& entry = entries_.at(blob);
    entry.asked = false;
    if (picture.ok()) entry.picture = *picture;
    waiting.swap(entry.waiting);
  }
  for (const OnPicture& on_picture : waiting) on_picture(picture);
}

void PictureCache::Release(const std::string& blob, uint64_t bytes) {
  {
    MutexLock lock(&mu_);
    used_ -= bytes;
    const auto entry = entries_.find(blob);
    // Somebody may have asked for it anew meanwhile.
    if (entry != entries_.end() && !entry->second.asked && entry->second.picture.expired()) {
      entries_.erase(entry);
    }
  }
  Admit();
}

}  // namespace phasor::gateway
