#include "engine/runtime/to_image.h"

#include <cstring>

#include <c10/util/Exception.h>

namespace phasor::engine {

Image ToImage(const at::Tensor& decoded) {
  TORCH_CHECK(decoded.dim() == 4 && decoded.size(0) == 1 && decoded.size(1) == 3 &&
                  decoded.scalar_type() == at::kFloat,
              "a picture must be [1, 3, H, W] in fp32, got ", decoded.sizes());
  // In place: a picture that was decoded in tiles may be the most that there is room for. at::round
  // goes to even at a half, as numpy does.
  at::Tensor values = decoded.mul(0.5);
  values.add_(0.5).clamp_(0, 1).mul_(255).round_();
  const at::Tensor pixels = values.to(at::kByte).squeeze(0).permute({1, 2, 0}).contiguous().cpu();
  Image image;
  image.height = static_cast<int>(pixels.size(0));
  image.width = static_cast<int>(pixels.size(1));
  image.rgb.resize(pixels.numel());
  std::memcpy(image.rgb.data(), pixels.const_data_ptr<uint8_t>(), image.rgb.size());
  return image;
}

}  // namespace phasor::engine
