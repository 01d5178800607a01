// A decoded tensor as an 8-bit picture, as diffusers' VaeImageProcessor does it
// (src/diffusers/image_processor.py: denormalize, pt_to_numpy, numpy_to_pil). Stateless.
#pragma once

#include "engine/api/image.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// `decoded` is [1, 3, H, W] in about [-1, 1]. Throws c10::Error on any other shape.
Image ToImage(const at::Tensor& decoded);

}  // namespace phasor::engine
