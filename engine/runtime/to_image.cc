#include "engine/runtime/to_image.h"

#include <cstring>

#include <c10/util/Exception.h>

namespace phasor::engine {

Image ToImage(const at::Tensor& decoded) {
  TORCH_CHECK(decoded.dim() == 4 && decoded.size(0) == 1 && decoded.size(1) == 3,
              "a picture must be [1, 3, H, W], got ", decoded.sizes());
  // at::round goes to even at a half, as numpy does.
  const at::Tensor pixels = decoded.mul(0.5)
                                .add(0.5)
                                .clamp(0, 1)
                                .to(at::kFloat)
                                .mul(255)
                                .round()
                                .to(at::kByte)
                                .squeeze(0)
                                .permute({1, 2, 0})  // [H, W, 3]
                                .contiguous();
  Image image;
  image.height = static_cast<int>(pixels.size(0));
  image.width = static_cast<int>(pixels.size(1));
  image.rgb.resize(pixels.numel());
  std::memcpy(image.rgb.data(), pixels.const_data_ptr<uint8_t>(), image.rgb.size());
  return image;
}

}  // namespace phasor::engine
