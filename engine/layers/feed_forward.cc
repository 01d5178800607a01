#include "engine/layers/feed_forward.h"

#include <ATen/TensorOperators.h>

namespace phasor::engine {

GegluFeedForward::GegluFeedForward(const WeightScope& weights, int64_t channels)
    : proj_(weights / "net.0.proj", channels, 8 * channels),
      out_(weights / "net.2", 4 * channels, channels) {}

at::Tensor GegluFeedForward::Forward(const at::Tensor& x) const {
  const std::vector<at::Tensor> halves = proj_.Forward(x).chunk(2, -1);  // 2 x [..., 4C]
  return out_.Forward(halves[0] * at::gelu(halves[1]));                  // [..., C]
}

}  // namespace phasor::engine
