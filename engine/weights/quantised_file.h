// The quantised forms of a model's parts, as files of a cache: safetensors with codes and scales of
// each weight that quantises, the model's digest, and a checksum. Made once for a model, mapped
// from then on. A file that is truncated, of other weights or of another version is made anew.
//
// Thread-safe where the sets differ; two processes that make the same file write the same bytes.
#pragma once

#include <functional>
#include <string>

#include "common/base/status.h"
#include "engine/weights/weight_set.h"

namespace phasor::engine {

struct QuantisedSource {
  std::string cache_directory;  // empty: a temporary file that nobody else sees
  std::string model_digest;
  std::string part;  // of the model: "unet"
};

// Gives the set the form, unless it has it. The result is a sentence for the user about a cache
// that could not be read or written, or empty. INVALID_ARGUMENT names a weight that can't be
// quantised; RESOURCE_EXHAUSTED and the like: no file could be written at all. `on_weight` hears of
// each weight. Throws what LibTorch throws.
StatusOr<std::string> BringForm(WeightForm form, const QuantisedSource& source, WeightSet* set,
                                const std::function<void()>& on_weight = {});

}  // namespace phasor::engine
