#include "engine/layers/feed_forward.h"

namespace phasor::engine {

GegluFeedForward::GegluFeedForward(const WeightScope& weights, int64_t channels)
    : proj_(weights / "net.0.proj", channels, 8 * channels),
      out_(weights / "net.2", 4 * channels, channels) {}

at::Tensor GegluFeedForward::Forward(const at::Tensor& x) const {
  // In place on the projection: it is ours, and as wide as all other activations together.
  std::vector<at::Tensor> halves = proj_.Forward(x).chunk(2, -1);  // 2 x [..., 4C]
  halves[0].mul_(at::gelu_(halves[1]));
  return out_.Forward(halves[0]);  // [..., C]
}

}  // namespace phasor::engine
