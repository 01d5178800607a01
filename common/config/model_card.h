// A model's card: what a request gets by default and what it may ask for. Read from the model
// directory's phasor.yaml; a directory without one gets its family's defaults.
// A model that was made for a size outside the limits' defaults has these widened.
// Plain values; ReadModelCard has no state and is thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::config {

struct ModelDefaults {
  int width = 512;   // pixels; where the card says nothing, what the networks were made for
  int height = 512;  // pixels (common/config/native_size.h), brought within the card's limits
  int steps = 25;
  double guidance_scale = 7.5;
  std::string scheduler;  // empty: the one in the model directory
};

struct ModelLimits {
  int min_size = 64;      // pixels, either side
  int max_size = 1024;    // pixels, either side
  int size_multiple = 8;  // pixels
  int max_steps = 150;
  int max_images = 8;
  double max_guidance_scale = 50;
  uint64_t max_prompt_bytes = 8192;  // UTF-8, each of prompt and negative prompt
  int max_clip_skip = 4;
};

// RGB = factors * latent + bias, in [-1, 1]; rows are latent channels.
struct PreviewFactors {
  std::vector<std::array<double, 3>> latent_rgb;
  std::array<double, 3> bias = {0, 0, 0};
};

struct ModelCard {
  // [a-z0-9._-], the name in the API. Without one in the card it is made of the directory's: "My
  // Model V5.1" is "my-model-v5.1".
  std::string name;
  std::string directory;  // where the weights are
  std::string family;     // "sd1"
  std::string description;
  std::string licence;
  // Which of several sets of weights is read, e.g. "fp16"; empty: the plain files, or the only set.
  std::string variant;
  ModelDefaults defaults;
  ModelLimits limits;
  std::optional<PreviewFactors> preview;
  // What files must hash to, by their path in the directory ("unet/config.json"): lower-case hex
  // SHA-256. Checked at load; files that are not listed are not checked.
  std::map<std::string, std::string> sha256;
};

// INVALID_ARGUMENT names the file and the key (unknown keys included); NOT_FOUND when the
// directory has no model_index.json.
StatusOr<ModelCard> ReadModelCard(const std::string& directory);

}  // namespace phasor::config
