// The text that AUTOMATIC1111's web UI writes into its PNGs and that many tools read back
// (stable-diffusion-webui: modules/processing.py, create_infotext; modules/infotext_utils.py,
// quote). Stateless, thread-safe.
#pragma once

#include <string>

#include "common/image/generation_info.h"

namespace phasor::image {

// "PROMPT\nNegative prompt: ...\nSteps: 20, Sampler: DPM++ 2M, CFG scale: 4, Seed: 7, ...".
// Parts at their default are left out. Clip skip is counted from 1, as that form does.
std::string A1111Parameters(const GenerationInfo& info);

}  // namespace phasor::image
