#include "engine/layers/conv2d.h"

namespace phasor::engine {

Conv2d::Conv2d(const WeightScope& weights, const Conv2dOptions& options)
    : options_(options),
      weight_(weights.Get("weight", {options.out, options.in, options.kernel, options.kernel})),
      bias_(weights.Get("bias", {options.out})) {}

at::Tensor Conv2d::Forward(const at::Tensor& x) const {
  return at::conv2d(x.contiguous(at::MemoryFormat::ChannelsLast), *weight_, *bias_, options_.stride,
                    options_.padding);
}

}  // namespace phasor::engine
