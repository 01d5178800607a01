// Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) and its rescaling (Lin et al.,
// arXiv 2305.08891, section 3.4), as diffusers' pipeline_stable_diffusion.py computes them, with
// the same bits on every processor. fp32 on the CPU. Pure functions; c10::Error on shapes that do
// not go together.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine {

// negative + scale (positive - negative), all [B, C, h, w].
at::Tensor Guide(const at::Tensor& negative, const at::Tensor& positive, double scale);

// Gives `guided` the standard deviation of `positive`, mixed in by phi in [0, 1].
at::Tensor RescaleGuided(const at::Tensor& guided, const at::Tensor& positive, double phi);

}  // namespace phasor::engine
