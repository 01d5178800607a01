// What a generated picture says about how it was made, and the text chunks that say it: a
// "parameters" chunk in AUTOMATIC1111's form, which people's tools read, and a "phasor" chunk with
// everything as JSON. Plain values; stateless functions, thread-safe.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/image/png.h"
#include "common/picture/picture_spec.h"

namespace phasor::image {

struct GenerationInfo {
  // This picture alone, as it ran: `images` is 1, `seed` its own, `scheduler` diffusers' class
  // name.
  PictureSpec picture;
  bool karras_sigmas = false;
  std::string model;
  std::string model_digest;  // hex SHA-256 of the weights
  std::string weights;       // how they are stored, if not as they compute: "NF4_QUANTIZED"
  std::string fingerprint;   // equal fingerprints give equal bytes; empty: not known
};

// ASCII JSON, keys sorted; non-ASCII characters are escaped, malformed UTF-8 is replaced.
std::string PhasorJson(const GenerationInfo& info);

// The chunks of a picture, in the order in which they are written.
std::vector<PngText> TextsOf(const GenerationInfo& info);

// What the "phasor" chunk among `texts` says. NOT_FOUND: there is none. INVALID_ARGUMENT: it is not
// what PhasorJson writes, or names a parameter that this version does not know.
StatusOr<GenerationInfo> ReadGenerationInfo(const std::vector<PngText>& texts);

}  // namespace phasor::image
