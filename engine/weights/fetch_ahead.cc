#include "engine/weights/fetch_ahead.h"

#include <algorithm>
#include <utility>

#include "engine/device/counted_memory.h"
#include "engine/weights/host_copy.h"

namespace phasor::engine {
namespace {

uint64_t BytesOf(const std::vector<at::Tensor>& tensors) {
  uint64_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += tensor.nbytes();
  return bytes;
}

}  // namespace

void FetchAhead::Turn(size_t layer) {
  if (turn_ != SIZE_MAX) after_[turn_] = layer;
  turn_ = layer;
  current_.clear();
  if (const auto own = copies_.find(layer); own != copies_.end()) {
    current_ = std::move(own->second);
    copies_.erase(own);
    for (const Copy& copy : current_) held_ -= copy.host.nbytes();
  } else {
    // Another order than before: what was fetched is not for the next ones.
    copies_.clear();
    held_ = 0;
  }
  size_t next = layer;
  for (size_t seen = 0; seen < after_.size(); ++seen) {
    const auto found = after_.find(next);
    if (found == after_.end() || found->second == layer) return;
    next = found->second;
    if (copies_.contains(next)) continue;
    const std::vector<at::Tensor> tensors = layer_(next);
    if (held_ + BytesOf(tensors) > room_) return;
    Fetch(next, tensors);
  }
}

void FetchAhead::Fetch(size_t layer, const std::vector<at::Tensor>& tensors) {
  const MemoryScope scope(MemoryKind::kWeights);
  std::vector<Copy>& copies = copies_[layer];
  for (const at::Tensor& host : tensors) {
    at::Tensor room = RoomFor(host, device_.place());
    std::unique_ptr<Fence> done = device_.CopyAsync(room, host);
    copies.push_back({host, std::move(room), std::move(done)});
    held_ += host.nbytes();
    count_.bytes += host.nbytes();
  }
}

at::Tensor FetchAhead::Take(const at::Tensor& host) {
  const auto copy = std::find_if(current_.begin(), current_.end(),
                                 [&](const Copy& one) { return one.host.is_same(host); });
  if (copy == current_.end()) return {};
  const SteadyTime begin = clock_.Steady();
  copy->done->Await();
  count_.waited_seconds += SecondsBetween(begin, clock_.Steady());
  at::Tensor device = std::move(copy->device);
  current_.erase(copy);
  return device;
}

}  // namespace phasor::engine
