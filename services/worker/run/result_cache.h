// The files of pictures that were drawn here, by the fingerprint of their run: equal fingerprints
// are equal bytes, so an equal request need not be drawn again. Bounded in bytes; the one unused
// for longest goes first. One thread, the executor.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "services/worker/memory_metrics.h"
#include "services/worker/run/publisher.h"

namespace phasor::worker {

class ResultCache {
 public:
  // `most`: bytes of files; 0: nothing is kept, and nothing found. `metrics` outlives the cache.
  ResultCache(uint64_t most, MemoryMetrics& metrics) : most_(most), metrics_(metrics) {}

  // Null: it has to be drawn. Valid until the next call.
  const std::vector<Picture>* Find(const std::string& fingerprint);
  void Put(const std::string& fingerprint, const std::vector<Picture>& pictures);
  void Clear();

  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string fingerprint;
    std::vector<Picture> pictures;
    uint64_t bytes = 0;
  };
  const uint64_t most_;
  MemoryMetrics& metrics_;
  std::list<Entry> entries_;  // most recently used first
  uint64_t bytes_ = 0;
};

}  // namespace phasor::worker
