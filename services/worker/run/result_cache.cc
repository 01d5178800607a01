#include "services/worker/run/result_cache.h"

#include <algorithm>

namespace phasor::worker {
namespace {

constexpr char kName[] = "result";

}  // namespace

const std::vector<Picture>* ResultCache::Find(const std::string& fingerprint) {
  if (most_ == 0 || fingerprint.empty()) return nullptr;
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.fingerprint == fingerprint;
  });
  if (found == entries_.end()) {
    metrics_.CacheMissed(kName);
    return nullptr;
  }
  metrics_.CacheHit(kName);
  entries_.splice(entries_.begin(), entries_, found);
  return &entries_.front().pictures;
}

void ResultCache::Put(const std::string& fingerprint, const std::vector<Picture>& pictures) {
  if (fingerprint.empty()) return;
  Entry entry{fingerprint, pictures, 0};
  for (const Picture& picture : pictures) entry.bytes += picture.png.size();
  if (entry.bytes > most_) return;
  entries_.remove_if([&](const Entry& old) {
    const bool same = old.fingerprint == fingerprint;
    if (same) bytes_ -= old.bytes;
    return same;
  });
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while (bytes_ > most_) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
  metrics_.CacheHolds(kName, bytes_);
}

void ResultCache::Clear() {
  entries_.clear();
  bytes_ = 0;
  if (most_ > 0) metrics_.CacheHolds(kName, 0);
}

}  // namespace phasor::worker
