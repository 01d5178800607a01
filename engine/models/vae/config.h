// AutoencoderKL's hyper-parameters (diffusers autoencoder_kl.py). A plain value, parsed and
// checked once; errors are INVALID_ARGUMENT and name file and key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/layers/activation.h"
#include "engine/weights/config_reader.h"

namespace phasor::engine {

struct VaeConfig {
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  std::vector<int64_t> block_out_channels = {64};
  int64_t layers_per_block = 1;
  Activation activation = Activation::kSilu;
  int64_t latent_channels = 4;
  int64_t groups = 32;
  int64_t sample_size = 32;  // pixels; sets tiling sizes only
  double scaling_factor = 0.18215;
  std::optional<double> shift_factor;
  std::vector<double> latents_mean;  // empty or one per latent channel
  std::vector<double> latents_std;
  bool force_upcast = true;  // SDXL's business
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;
  bool mid_block_add_attention = true;
  std::vector<std::string> unknown_keys;  // to be reported, not refused

  // Pixels per latent, 8 for every published model.
  int64_t scale() const { return int64_t{1} << (block_out_channels.size() - 1); }
};

StatusOr<VaeConfig> ParseVaeConfig(ConfigReader reader);

}  // namespace phasor::engine
