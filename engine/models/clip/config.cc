#include "engine/models/clip/config.h"

#include <utility>

namespace phasor::engine {
namespace {

constexpr IntRange kWidths = {1, 1 << 16};

ClipConfig ReadFields(ConfigReader& reader, const std::string& class_name) {
  ClipConfig config;
  config.vocab_size = reader.Int("vocab_size", config.vocab_size, {1, 1 << 22});
  config.hidden_size = reader.Int("hidden_size", config.hidden_size, kWidths);
  config.intermediate_size = reader.Int("intermediate_size", config.intermediate_size, kWidths);
  config.layers = reader.Int("num_hidden_layers", config.layers, {1, 256});
  config.heads = reader.Int("num_attention_heads", config.heads, {1, 1024});
  config.max_positions = reader.Int("max_position_embeddings", config.max_positions, {1, 1 << 16});
  config.layer_norm_eps = reader.Double("layer_norm_eps", config.layer_norm_eps);
  config.eos_token_id = reader.Int("eos_token_id", config.eos_token_id, {0, 1 << 22});
  config.projection_dim = reader.Int("projection_dim", config.projection_dim, kWidths);
  config.with_projection = class_name == "CLIPTextModelWithProjection";
  const std::string activation = reader.String("hidden_act", "quick_gelu");
  if (const auto known = ParseTransformersActivation(activation)) {
    config.activation = *known;
  } else {
    reader.Refuse("hidden_act", "is '" + activation.substr(0, 40) + "', which is not known");
  }
  if (config.hidden_size % config.heads != 0) {
    reader.Refuse("num_attention_heads", "does not divide hidden_size");
  }
  if (reader.Bool("use_attention_mask", false)) {
    reader.Refuse("use_attention_mask", "is true, which this engine does not run");
  }
  return config;
}

}  // namespace

StatusOr<ClipConfig> ParseClipConfig(const std::string& path, const std::string& class_name) {
  if (class_name != "CLIPTextModel" && class_name != "CLIPTextModelWithProjection") {
    return InvalidArgument("model_index.json: text_encoder is a " + class_name +
                           ", not a CLIPTextModel");
  }
  ASSIGN_OR_RETURN(ConfigReader reader, ConfigReader::Open(path));
  const nlohmann::json text = reader.Raw("text_config");
  if (!text.is_null()) reader = ConfigReader(path + ": text_config", text);
  const ClipConfig config = ReadFields(reader, class_name);
  RETURN_IF_ERROR(reader.status());
  return config;
}

}  // namespace phasor::engine
