// The CLIP text encoder's hyper-parameters (transformers configuration_clip.py). A plain value,
// parsed and checked once; errors are INVALID_ARGUMENT and name file and key.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"
#include "engine/layers/activation.h"
#include "engine/weights/config_reader.h"

namespace phasor::engine {

struct ClipConfig {
  int64_t vocab_size = 49408;
  int64_t hidden_size = 512;
  int64_t intermediate_size = 2048;
  int64_t layers = 12;
  int64_t heads = 8;
  int64_t max_positions = 77;
  Activation activation = Activation::kQuickGelu;
  double layer_norm_eps = 1e-5;
  int64_t eos_token_id = 49407;  // 2 in old files: see ClipTextModel's pooling
  int64_t projection_dim = 512;
  bool with_projection = false;  // CLIPTextModelWithProjection
};

// `path` is the component's config.json; a whole CLIP's text_config is looked into.
// `class_name` is the one in model_index.json.
StatusOr<ClipConfig> ParseClipConfig(const std::string& path, const std::string& class_name);

}  // namespace phasor::engine
