// How far two pictures are the same, and where they differ, why. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "services/cli/draw/from_picture.h"

namespace phasor::cli {

struct Comparison {
  bool same_bytes = false;
  bool same_pixels = false;
  uint64_t pixels = 0;        // of the first picture
  uint64_t other_pixels = 0;  // that differ; all where the sizes do
  int largest = 0;            // difference of a channel, 0 to 255
  // A sentence each: another model, another fingerprint, another parameter. Empty where the bytes
  // are the same.
  std::vector<std::string> reasons;
};

// `was`: the picture that was there; `is`: as it was drawn again.
Comparison Compare(const DrawnPicture& was, const DrawnPicture& is);

}  // namespace phasor::cli
