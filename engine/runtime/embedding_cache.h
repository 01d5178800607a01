// What text encoders made of texts, for requests that have the same ones: on the host, so that it
// takes nothing of the device's memory. Bounded in bytes; what was unused for longest goes first.
// One thread.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <vector>

#include "engine/tensor/torch.h"

namespace phasor::engine {

class EmbeddingCache {
 public:
  // `most`: bytes; 0: nothing is kept.
  explicit EmbeddingCache(uint64_t most) : most_(most) {}

  bool Has(const std::string& key) const { return Look(key) != entries_.end(); }
  // Copies on `place`, equal to the bit to what was put in; an undefined tensor comes back so.
  // Empty: it is not there. Throws what LibTorch throws.
  std::vector<at::Tensor> Find(const std::string& key, at::Device place);
  void Put(const std::string& key, const std::vector<at::Tensor>& tensors);

  uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string key;
    std::vector<at::Tensor> tensors;
    uint64_t bytes = 0;
  };
  std::list<Entry>::const_iterator Look(const std::string& key) const;

  const uint64_t most_;
  std::list<Entry> entries_;  // most recently used first
  uint64_t bytes_ = 0;
};

}  // namespace phasor::engine
