// What a generated picture says about how it was made, and the text chunks that say it: a
// "parameters" chunk in AUTOMATIC1111's form, which people's tools read, and a "phasor" chunk with
// everything as JSON. Plain values; stateless functions, thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/image/png.h"

namespace phasor::image {

struct GenerationInfo {
  std::string prompt;
  std::string negative_prompt;
  int width = 0;   // pixels
  int height = 0;  // pixels
  int steps = 0;
  double guidance_scale = 0;
  double guidance_rescale = 0;
  double eta = 0;
  int clip_skip = 0;      // layers left out, 0 is none
  uint64_t seed = 0;      // of this picture
  std::string scheduler;  // diffusers' class name
  bool karras_sigmas = false;
  std::string model;
  std::string model_digest;  // hex SHA-256 of the weights
};

// ASCII JSON, keys sorted; non-ASCII characters are escaped, malformed UTF-8 is replaced.
std::string PhasorJson(const GenerationInfo& info);

// The chunks of a picture, in the order in which they are written.
std::vector<PngText> TextsOf(const GenerationInfo& info);

}  // namespace phasor::image
