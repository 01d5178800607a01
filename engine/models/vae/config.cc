#include "engine/models/vae/config.h"

#include <algorithm>
#include <utility>

namespace phasor::engine {
namespace {

constexpr IntRange kChannels = {1, 1 << 14};
constexpr size_t kMaxLevels = 8;

void CheckBlockTypes(ConfigReader& reader, const std::string& key, const std::string& only,
                     size_t levels) {
  const std::vector<std::string> types = reader.Strings(key, {only});
  if (types.size() != levels) {
    reader.Refuse(key, "has " + std::to_string(types.size()) + " entries where " +
                           "block_out_channels has " + std::to_string(levels));
  }
  for (const std::string& type : types) {
    if (type != only) {
      reader.Refuse(key, "holds '" + type.substr(0, 60) + "'; this engine runs " + only);
    }
  }
}

// The reference takes an int or a list of two, of which the first counts.
int64_t SampleSize(ConfigReader& reader, int64_t absent) {
  const nlohmann::json& value = reader.Raw("sample_size");
  if (!value.is_array()) return reader.Int("sample_size", absent, {1, 1 << 16});
  return reader.Ints("sample_size", {absent}, {1, 1 << 16}).front();
}

void CheckAcrossKeys(ConfigReader& reader, const VaeConfig& config) {
  if (config.block_out_channels.size() > kMaxLevels) {
    reader.Refuse("block_out_channels", "has more than " + std::to_string(kMaxLevels) + " levels");
  }
  for (const int64_t channels : config.block_out_channels) {
    if (channels % config.groups != 0) {
      reader.Refuse("norm_num_groups", "does not divide the " + std::to_string(channels) +
                                           " channels of block_out_channels");
    }
  }
  if (config.scaling_factor == 0) reader.Refuse("scaling_factor", "is 0");
  const size_t latent = static_cast<size_t>(config.latent_channels);
  for (const auto& [key, values] : {std::pair{"latents_mean", &config.latents_mean},
                                    std::pair{"latents_std", &config.latents_std}}) {
    if (!values->empty() && values->size() != latent) {
      reader.Refuse(key, "needs one value per latent channel");
    }
  }
}

}  // namespace

StatusOr<VaeConfig> ParseVaeConfig(ConfigReader reader) {
  VaeConfig config;
  config.in_channels = reader.Int("in_channels", config.in_channels, kChannels);
  config.out_channels = reader.Int("out_channels", config.out_channels, kChannels);
  config.block_out_channels =
      reader.Ints("block_out_channels", config.block_out_channels, kChannels);
  const size_t levels = config.block_out_channels.size();
  CheckBlockTypes(reader, "down_block_types", "DownEncoderBlock2D", levels);
  CheckBlockTypes(reader, "up_block_types", "UpDecoderBlock2D", levels);
  config.layers_per_block = reader.Int("layers_per_block", config.layers_per_block, {1, 64});
  const std::string activation = reader.String("act_fn", "silu");
  if (const auto known = ParseDiffusersActivation(activation)) {
    config.activation = *known;
  } else {
    reader.Refuse("act_fn", "is '" + activation.substr(0, 40) + "', which is not known");
  }
  config.latent_channels = reader.Int("latent_channels", config.latent_channels, kChannels);
  config.groups = reader.Int("norm_num_groups", config.groups, kChannels);
  config.sample_size = SampleSize(reader, config.sample_size);
  config.scaling_factor = reader.Double("scaling_factor", config.scaling_factor);
  config.shift_factor = reader.OptionalDouble("shift_factor");
  config.latents_mean = reader.Doubles("latents_mean");
  config.latents_std = reader.Doubles("latents_std");
  config.force_upcast = reader.Bool("force_upcast", config.force_upcast);
  config.use_quant_conv = reader.Bool("use_quant_conv", config.use_quant_conv);
  config.use_post_quant_conv = reader.Bool("use_post_quant_conv", config.use_post_quant_conv);
  config.mid_block_add_attention =
      reader.Bool("mid_block_add_attention", config.mid_block_add_attention);
  CheckAcrossKeys(reader, config);
  RETURN_IF_ERROR(reader.status());
  config.unknown_keys = reader.UnknownKeys();
  return config;
}

}  // namespace phasor::engine
