// Pictures as the source of a request: what a PNG says about how it was drawn, ready to be asked
// for again. Stateless.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/image/generation_info.h"
#include "common/image/png.h"
#include "common/picture/asked.h"

namespace phasor::cli {

struct DrawnPicture {
  std::string file;  // its bytes
  image::Png png;
  image::GenerationInfo info;
};

// INVALID_ARGUMENT names the file, and the reason: it can't be read, is no PNG, does not say how it
// was drawn, or says more than this version knows.
StatusOr<DrawnPicture> ReadPicture(const std::string& path);
// The same of a file's bytes, without a name.
StatusOr<DrawnPicture> ParsePicture(std::string file);

// Asks for this very picture: every parameter, and the sampler under the name that gives it its
// schedule again.
picture::Asked AskedOf(const image::GenerationInfo& info);

}  // namespace phasor::cli
