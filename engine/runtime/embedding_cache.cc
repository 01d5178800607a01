#include "engine/runtime/embedding_cache.h"

#include <algorithm>
#include <utility>

#include "engine/device/counted_memory.h"

namespace phasor::engine {

std::list<EmbeddingCache::Entry>::const_iterator EmbeddingCache::Look(
    const std::string& key) const {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return entry.key == key; });
}

std::vector<at::Tensor> EmbeddingCache::Find(const std::string& key, at::Device place) {
  const auto found = Look(key);
  if (found == entries_.end()) return {};
  entries_.splice(entries_.begin(), entries_, found);
  std::vector<at::Tensor> tensors;
  for (const at::Tensor& tensor : entries_.front().tensors) {
    tensors.push_back(tensor.defined() ? tensor.to(place, tensor.scalar_type(),
                                                   /*non_blocking=*/false, /*copy=*/true)
                                       : tensor);
  }
  return tensors;
}

void EmbeddingCache::Put(const std::string& key, const std::vector<at::Tensor>& tensors) {
  if (Has(key)) return;
  Entry entry{key, {}, key.size()};
  for (const at::Tensor& tensor : tensors) entry.bytes += tensor.defined() ? tensor.nbytes() : 0;
  if (entry.bytes > most_) return;
  const MemoryScope scope(MemoryKind::kHost);
  for (const at::Tensor& tensor : tensors) {
    entry.tensors.push_back(tensor.defined() ? tensor.to(at::kCPU, tensor.scalar_type(),
                                                         /*non_blocking=*/false, /*copy=*/true)
                                             : tensor);
  }
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while (bytes_ > most_) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
}

}  // namespace phasor::engine
