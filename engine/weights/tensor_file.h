// Named fp32 tensors to and from safetensors files: --dump-latents, --latents and their like.
// No LibTorch. Thread-safe (no state).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

// Writes durably. INVALID_ARGUMENT when a name repeats or a shape does not fit its values.
Status WriteSafetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                        const std::map<std::string, std::string>& metadata = {});

// All tensors of a file, by name. F32, F16 and BF16 are read as fp32; any other type is
// INVALID_ARGUMENT. DATA_LOSS names the file and the broken rule.
StatusOr<std::vector<NamedTensor>> ReadSafetensors(const std::string& path);

}  // namespace phasor::engine
