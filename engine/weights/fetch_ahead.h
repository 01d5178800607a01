// Copies of the layers that compute next, brought to the device beside what is computed now. The
// order is the one in which layers had their turns before, from the last back to the first: the
// next pass begins where this one did.
//
// One thread. Throws what LibTorch throws; what was copied by then stays.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "engine/device/device.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// How much was fetched, and how long computing waited for it.
struct FetchCount {
  uint64_t bytes = 0;
  double waited_seconds = 0;
  FetchCount& operator+=(const FetchCount& other) {
    bytes += other.bytes;
    waited_seconds += other.waited_seconds;
    return *this;
  }
};

class FetchAhead {
 public:
  // What a layer brings over: its tensors on the host.
  using Layer = std::function<std::vector<at::Tensor>(size_t layer)>;

  // Copies for layers whose turn has not come have `room` bytes at most. Device and clock outlive
  // this.
  FetchAhead(Device& device, const Clock& clock, uint64_t room, Layer layer)
      : device_(device), clock_(clock), room_(room), layer_(std::move(layer)) {}

  // A layer computes from now on: those after it are fetched, as many as there is room for.
  void Turn(size_t layer);

  // The copy of one of that layer's tensors, once it is there; undefined if it was not fetched.
  at::Tensor Take(const at::Tensor& host);

  // Bytes of copies for layers whose turn has not come.
  uint64_t held() const { return held_; }
  FetchCount count() const { return count_; }

 private:
  struct Copy {
    at::Tensor host, device;
    std::unique_ptr<Fence> done;
  };
  void Fetch(size_t layer, const std::vector<at::Tensor>& tensors);

  Device& device_;
  const Clock& clock_;
  const uint64_t room_;
  const Layer layer_;
  std::map<size_t, size_t> after_;              // whose turn followed whose
  std::map<size_t, std::vector<Copy>> copies_;  // by layer
  std::vector<Copy> current_;                   // of the layer whose turn it is
  uint64_t held_ = 0;
  size_t turn_ = SIZE_MAX;
  FetchCount count_;
};

}  // namespace phasor::engine
