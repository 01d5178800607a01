// 8-bit RGB pictures as PNG files with text chunks.
//
// The encoder is deterministic: fixed zlib level and filters, no time chunk, so that equal pixels
// and texts are equal bytes and a picture's SHA-256 says something. Stateless, thread-safe.
// Text is UTF-8 here; in the file it is tEXt where Latin-1 suffices, else iTXt, uncompressed,
// as Pillow writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::image {

struct PngText {
  std::string keyword;  // 1 to 79 bytes of printable ASCII
  std::string text;     // UTF-8 without NUL

  bool operator==(const PngText&) const = default;
};

struct Png {
  int width = 0;             // pixels
  int height = 0;            // pixels
  std::vector<uint8_t> rgb;  // height x width x 3
  std::vector<PngText> texts;
};

// INVALID_ARGUMENT when sizes and bytes disagree or a text can't stand in a chunk.
StatusOr<std::string> EncodePng(int width, int height, std::span<const uint8_t> rgb,
                                const std::vector<PngText>& texts);

// Any PNG as 8-bit RGB (alpha is dropped). INVALID_ARGUMENT: no PNG, broken, or more than
// `max_pixels`, which is checked before anything is allocated.
StatusOr<Png> DecodePng(std::string_view bytes, uint64_t max_pixels);

}  // namespace phasor::image
