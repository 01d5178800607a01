// Names of older checkpoints turned into today's: pure functions for WeightOptions::rename.
// Source: diffusers src/diffusers/models/modeling_utils.py (deprecated attention blocks).
#pragma once

#include <string>

namespace phasor::engine {

// AutoencoderKL files before 2023: query, key, value and proj_attn of the mid block's attention.
std::string RenameOldVaeAttention(const std::string& name);

// transformers from 5.6 on drops "text_model." in memory; files normally keep it.
std::string RenameFlatClip(const std::string& name);

}  // namespace phasor::engine
