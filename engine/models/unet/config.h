// UNet2DConditionModel's hyper-parameters (diffusers unet_2d_condition.py). A plain value, parsed
// and checked once: scalars are spread over the levels, the up path's lists are reversed, and what
// this engine does not run is refused. Errors are INVALID_ARGUMENT and name file and key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/layers/activation.h"
#include "engine/weights/config_reader.h"

namespace phasor::engine {

// One level of the down path or, in its own order, of the up path.
struct UnetLevel {
  bool cross_attention = false;  // CrossAttn...Block2D rather than ...Block2D
  int64_t channels = 0;
  int64_t layers = 0;   // layers_per_block; an up level has one more
  int64_t heads = 0;    // attention_head_dim, a historical misnomer
  int64_t context = 0;  // cross_attention_dim
  bool only_cross_attention = false;
  std::vector<int64_t> transformer_layers;  // one count per attention
};

enum class UnetMidType { kNone, kResnetOnly, kCrossAttention };

struct UnetConfig {
  std::optional<std::array<int64_t, 2>> sample_size;  // latent height, width
  int64_t in_channels = 4;
  int64_t out_channels = 4;
  bool center_input_sample = false;
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  std::vector<UnetLevel> down;
  UnetMidType mid = UnetMidType::kCrossAttention;
  UnetLevel mid_level;  // channels, heads, context and one transformer count
  std::vector<UnetLevel> up;
  int64_t downsample_padding = 1;
  double mid_block_scale_factor = 1;
  Activation activation = Activation::kSilu;
  int64_t groups = 32;
  double norm_eps = 1e-5;
  bool linear_projection = false;
  bool scale_shift = false;
  int64_t time_embedding_dim = 0;
  std::optional<Activation> time_embedding_activation;
  std::optional<Activation> timestep_post_activation;
  std::optional<int64_t> time_cond_proj_dim;
  int64_t conv_in_kernel = 3;
  int64_t conv_out_kernel = 3;
  std::optional<int64_t> encoder_hid_dim;  // "text_proj": a linear layer on the context
  bool text_time = false;                  // SDXL's added conditions
  int64_t addition_time_embed_dim = 0;
  int64_t projection_input_dim = 0;
  std::vector<std::string> unknown_keys;  // to be reported, not refused
};

StatusOr<UnetConfig> ParseUnetConfig(ConfigReader reader);

}  // namespace phasor::engine
