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
#include "common/picture/limits.h"
#include "common/picture/picture_spec.h"

namespace phasor::config {

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
  // What a request gets that says nothing else. Width and height are what the networks were made
  // for (common/config/native_size.h), brought within the limits, where the card says nothing.
  PictureSpec defaults;
  picture::Limits limits;
  std::optional<PreviewFactors> preview;
  // What files must hash to, by their path in the directory ("unet/config.json"): lower-case hex
  // SHA-256. Checked at load; files that are not listed are not checked.
  std::map<std::string, std::string> sha256;
};

// Where the files of a model are that weights and networks are read from.
enum class ModelFiles {
  kHere,       // beside the card: who draws needs them
  kElsewhere,  // or with the workers alone: a directory that holds nothing but a card will do
};

// 1 to 64 characters of a-z, 0-9, '.', '_', '-', the first none of '.' and '-'.
bool IsModelName(const std::string& name);

// INVALID_ARGUMENT names the file and the key (unknown keys included); NOT_FOUND when the
// directory has no model_index.json, or no card either where the files may be elsewhere. A card
// alone has to state the default size, which is otherwise the networks' own.
StatusOr<ModelCard> ReadModelCard(const std::string& directory,
                                  ModelFiles files = ModelFiles::kHere);

}  // namespace phasor::config
