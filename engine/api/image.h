// A decoded picture: 8-bit RGB, rows top to bottom, no padding. A plain value.
#pragma once

#include <cstdint>
#include <vector>

namespace phasor::engine {

struct Image {
  int width = 0;             // pixels
  int height = 0;            // pixels
  std::vector<uint8_t> rgb;  // height x width x 3
};

}  // namespace phasor::engine
