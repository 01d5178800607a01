#include "engine/models/unet/config.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace phasor::engine {
namespace {

constexpr IntRange kChannels = {1, 1 << 14};
constexpr IntRange kLayers = {1, 64};
constexpr size_t kMaxLevels = 8;

std::optional<Activation> ReadActivation(ConfigReader& reader, const std::string& key) {
  const auto name = reader.OptionalString(key);
  if (!name) return std::nullopt;
  const auto activation = ParseDiffusersActivation(*name);
  if (!activation) reader.Refuse(key, "is '" + name->substr(0, 40) + "', which is not known");
  return activation;
}

std::optional<std::array<int64_t, 2>> ReadSampleSize(ConfigReader& reader) {
  static constexpr IntRange kSizes = {1, 1 << 16};
  const nlohmann::json& value = reader.Raw("sample_size");
  if (value.is_null()) return std::nullopt;
  if (!value.is_array()) {
    const int64_t side = reader.Int("sample_size", 1, kSizes);
    return std::array<int64_t, 2>{side, side};
  }
  const std::vector<int64_t> sides = reader.PerLevel("sample_size", 1, 2, kSizes);
  return std::array<int64_t, 2>{sides[0], sides[1]};
}

// transformer_layers_per_block and its reverse: an int, a list, or a list whose entries may be
// lists again.
std::vector<std::vector<int64_t>> ReadTransformerLayers(ConfigReader& reader,
                                                        const std::string& key, size_t levels) {
  const nlohmann::json value = reader.Raw(key);
  const bool nested =
      value.is_array() && std::any_of(value.begin(), value.end(),
                                      [](const nlohmann::json& item) { return item.is_array(); });
  std::vector<std::vector<int64_t>> counts;
  if (!nested) {
    for (const int64_t count : reader.PerLevel(key, 1, levels, kLayers)) counts.push_back({count});
    return counts;
  }
  if (value.size() != levels) {
    reader.Refuse(key, "needs one entry per level");
    return std::vector<std::vector<int64_t>>(levels, {1});
  }
  for (const nlohmann::json& item : value) {
    nlohmann::json wrapped = nlohmann::json::object();
    wrapped[key] = item.is_array() ? item : nlohmann::json::array({item});
    ConfigReader entry(key, std::move(wrapped));
    counts.push_back(entry.Ints(key, {1}, kLayers));
    if (!entry.status().ok()) reader.Refuse(key, "holds an entry that is no count or list of them");
  }
  return counts;
}

bool HasLists(const std::vector<std::vector<int64_t>>& counts) {
  return std::any_of(counts.begin(), counts.end(), [](const auto& c) { return c.size() > 1; });
}

// Block types of a path, a leading "UNetRes" left out as the reference does; true per level where
// it is the cross-attention one.
std::vector<bool> ReadBlockTypes(ConfigReader& reader, const std::string& key,
                                 std::vector<std::string> absent, const std::string& plain,
                                 const std::string& cross, size_t levels) {
  std::vector<bool> is_cross;
  for (std::string type : reader.Strings(key, std::move(absent))) {
    if (type.starts_with("UNetRes")) type = type.substr(7);
    is_cross.push_back(type == cross);
    if (type != plain && type != cross) {
      reader.Refuse(
          key, "holds '" + type.substr(0, 60) + "'; this engine runs " + plain + " and " + cross);
    }
  }
  if (is_cross.size() != levels) {
    reader.Refuse(key, "has " + std::to_string(is_cross.size()) +
                           " entries where block_out_channels has " + std::to_string(levels));
    is_cross.resize(levels);
  }
  return is_cross;
}

void ReadMid(ConfigReader& reader, UnetConfig& config) {
  const nlohmann::json& value = reader.Raw("mid_block_type");
  const bool said_null = value.is_null() && reader.Has("mid_block_type");
  const std::string type = reader.String("mid_block_type", "UNetMidBlock2DCrossAttn");
  if (said_null) {
    config.mid = UnetMidType::kNone;
  } else if (type == "UNetMidBlock2D") {
    config.mid = UnetMidType::kResnetOnly;
  } else if (type != "UNetMidBlock2DCrossAttn") {
    reader.Refuse("mid_block_type",
                  "is '" + type.substr(0, 60) + "', which this engine does not run");
  }
  // The reference gives the mid block its last level's values, but never only_cross_attention.
  config.mid_level = config.down.back();
  config.mid_level.only_cross_attention = false;
  config.mid_level.transformer_layers.resize(1);
}

void ReadLevels(ConfigReader& reader, UnetConfig& config) {
  const std::vector<int64_t> channels =
      reader.Ints("block_out_channels", {320, 640, 1280, 1280}, kChannels);
  const size_t levels = channels.size();
  if (levels > kMaxLevels) {
    reader.Refuse("block_out_channels", "has more than " + std::to_string(kMaxLevels) + " levels");
  }
  std::vector<std::string> down_absent(3, "CrossAttnDownBlock2D");
  down_absent.push_back("DownBlock2D");
  std::vector<std::string> up_absent(4, "CrossAttnUpBlock2D");
  up_absent[0] = "UpBlock2D";
  const std::vector<bool> down_types =
      ReadBlockTypes(reader, "down_block_types", std::move(down_absent), "DownBlock2D",
                     "CrossAttnDownBlock2D", levels);
  const std::vector<bool> up_types = ReadBlockTypes(reader, "up_block_types", std::move(up_absent),
                                                    "UpBlock2D", "CrossAttnUpBlock2D", levels);
  const std::vector<int64_t> layers = reader.PerLevel("layers_per_block", 2, levels, kLayers);
  const std::vector<int64_t> heads = reader.PerLevel("attention_head_dim", 8, levels, kChannels);
  const std::vector<int64_t> context =
      reader.PerLevel("cross_attention_dim", 1280, levels, {1, 1 << 16});
  const std::vector<bool> only_cross = reader.BoolPerLevel("only_cross_attention", false, levels);
  const auto transformer = ReadTransformerLayers(reader, "transformer_layers_per_block", levels);
  auto reversed = transformer;
  std::reverse(reversed.begin(), reversed.end());
  const bool explicit_reverse = !reader.Raw("reverse_transformer_layers_per_block").is_null();
  if (explicit_reverse) {
    reversed = ReadTransformerLayers(reader, "reverse_transformer_layers_per_block", levels);
  } else if (HasLists(transformer)) {
    reader.Refuse("reverse_transformer_layers_per_block",
                  "is missing; transformer_layers_per_block holds lists");
  }

  const auto spread = [&reader](const std::string& key, const std::vector<int64_t>& counts,
                                int64_t attentions) {
    if (counts.size() == 1) return std::vector<int64_t>(attentions, counts[0]);
    if (static_cast<int64_t>(counts.size()) != attentions) {
      reader.Refuse(key, "holds a list of " + std::to_string(counts.size()) +
                             " counts for a block of " + std::to_string(attentions));
      return std::vector<int64_t>(attentions, 1);
    }
    return counts;
  };
  for (size_t i = 0; i < levels; ++i) {
    config.down.push_back(
        {.cross_attention = down_types[i],
         .channels = channels[i],
         .layers = layers[i],
         .heads = heads[i],
         .context = context[i],
         .only_cross_attention = only_cross[i],
         .transformer_layers = spread("transformer_layers_per_block", transformer[i], layers[i])});
  }
  for (size_t i = 0; i < levels; ++i) {
    UnetLevel level = config.down[levels - 1 - i];
    level.cross_attention = up_types[i];
    level.transformer_layers =
        spread("reverse_transformer_layers_per_block", reversed[i], level.layers + 1);
    config.up.push_back(std::move(level));
  }
}

void ReadEmbeddings(ConfigReader& reader, UnetConfig& config) {
  config.flip_sin_to_cos = reader.Bool("flip_sin_to_cos", true);
  config.freq_shift = reader.Double("freq_shift", 0);
  config.time_embedding_dim = reader.OptionalInt("time_embedding_dim", {1, 1 << 16})
                                  .value_or(4 * config.down.front().channels);
  config.time_embedding_activation = ReadActivation(reader, "time_embedding_act_fn");
  config.timestep_post_activation = ReadActivation(reader, "timestep_post_act");
  config.time_cond_proj_dim = reader.OptionalInt("time_cond_proj_dim", {1, 1 << 16});

  config.encoder_hid_dim = reader.OptionalInt("encoder_hid_dim", {1, 1 << 16});
  reader.RequireOneOf("encoder_hid_dim_type", {"text_proj"});
  if (!config.encoder_hid_dim && reader.OptionalString("encoder_hid_dim_type")) {
    reader.Refuse("encoder_hid_dim", "is missing beside encoder_hid_dim_type");
  }
  for (const UnetLevel& level : config.down) {
    if (config.encoder_hid_dim && level.context != config.down[0].context) {
      reader.Refuse("cross_attention_dim", "must be one number beside encoder_hid_dim");
    }
  }

  reader.RequireOneOf("addition_embed_type", {"text_time"});
  config.text_time = reader.OptionalString("addition_embed_type").has_value();
  const auto time_dim = reader.OptionalInt("addition_time_embed_dim", {2, 1 << 16});
  const auto input_dim = reader.OptionalInt("projection_class_embeddings_input_dim", {1, 1 << 20});
  if (config.text_time && (!time_dim || !input_dim)) {
    reader.Refuse("addition_embed_type",
                  "is text_time, which needs addition_time_embed_dim and "
                  "projection_class_embeddings_input_dim");
  }
  config.addition_time_embed_dim = time_dim.value_or(0);
  config.projection_input_dim = input_dim.value_or(0);
}

// Values of keys whose other values are models that this engine does not run.
void RefuseTheRest(ConfigReader& reader) {
  reader.RequireOneOf("num_attention_heads", {});
  reader.RequireOneOf("dual_cross_attention", {false});
  reader.RequireOneOf("class_embed_type", {});
  reader.RequireOneOf("num_class_embeds", {});
  reader.RequireOneOf("class_embeddings_concat", {false});
  reader.RequireOneOf("time_embedding_type", {"positional"});
  reader.RequireOneOf("attention_type", {"default"});
  reader.RequireOneOf("cross_attention_norm", {});
  // Known keys that change nothing in the block types above, or at inference.
  for (const char* key :
       {"dropout", "upcast_attention", "resnet_skip_time_act", "resnet_out_scale_factor",
        "mid_block_only_cross_attention", "addition_embed_type_num_heads"}) {
    reader.Raw(key);
  }
}

void CheckAcrossKeys(ConfigReader& reader, const UnetConfig& config) {
  for (const std::vector<UnetLevel>* path : {&config.down, &config.up}) {
    for (const UnetLevel& level : *path) {
      const std::string channels = std::to_string(level.channels) + " channels of a level";
      if (level.channels % config.groups != 0) {
        reader.Refuse("norm_num_groups", "does not divide the " + channels);
      }
      if (level.cross_attention && level.channels % level.heads != 0) {
        reader.Refuse("attention_head_dim",
                      "(the number of heads) does not divide the " + channels);
      }
    }
  }
  // An up level's norms see its input and skip channels side by side: sums of the above.
  if (config.mid == UnetMidType::kCrossAttention &&
      config.mid_level.channels % config.mid_level.heads != 0) {
    reader.Refuse("attention_head_dim", "(the number of heads) does not divide the mid block");
  }
  for (const auto& [key, kernel] : {std::pair{"conv_in_kernel", config.conv_in_kernel},
                                    std::pair{"conv_out_kernel", config.conv_out_kernel}}) {
    if (kernel % 2 == 0) reader.Refuse(key, "is even");
  }
  if (config.mid_block_scale_factor == 0) reader.Refuse("mid_block_scale_factor", "is 0");
}

}  // namespace

StatusOr<UnetConfig> ParseUnetConfig(ConfigReader reader) {
  UnetConfig config;
  ReadLevels(reader, config);
  RETURN_IF_ERROR(reader.status());
  ReadMid(reader, config);
  config.sample_size = ReadSampleSize(reader);
  config.in_channels = reader.Int("in_channels", 4, kChannels);
  config.out_channels = reader.Int("out_channels", 4, kChannels);
  config.center_input_sample = reader.Bool("center_input_sample", false);
  config.downsample_padding = reader.Int("downsample_padding", 1, {0, 1});
  config.mid_block_scale_factor = reader.Double("mid_block_scale_factor", 1);
  config.activation = ReadActivation(reader, "act_fn").value_or(Activation::kSilu);
  if (reader.Has("norm_num_groups") && reader.Raw("norm_num_groups").is_null()) {
    reader.Refuse("norm_num_groups", "is null, which this engine does not run");
  }
  config.groups = reader.Int("norm_num_groups", 32, kChannels);
  config.norm_eps = reader.Double("norm_eps", 1e-5);
  config.linear_projection = reader.Bool("use_linear_projection", false);
  reader.RequireOneOf("resnet_time_scale_shift", {"default", "scale_shift"});
  config.scale_shift = reader.String("resnet_time_scale_shift", "default") == "scale_shift";
  config.conv_in_kernel = reader.Int("conv_in_kernel", 3, {1, 15});
  config.conv_out_kernel = reader.Int("conv_out_kernel", 3, {1, 15});
  ReadEmbeddings(reader, config);
  RefuseTheRest(reader);
  CheckAcrossKeys(reader, config);
  RETURN_IF_ERROR(reader.status());
  config.unknown_keys = reader.UnknownKeys();
  return config;
}

}  // namespace phasor::engine
