#include "common/image/latin1.h"

namespace phasor::image {

std::optional<std::string> Latin1FromUtf8(std::string_view text) {
  std::string latin1;
  latin1.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      latin1.push_back(text[i]);
      continue;
    }
    // U+0080 .. U+00FF are exactly C2 80 .. C3 BF.
    if ((byte != 0xC2 && byte != 0xC3) || i + 1 == text.size()) return std::nullopt;
    const auto next = static_cast<unsigned char>(text[++i]);
    if ((next & 0xC0) != 0x80) return std::nullopt;
    latin1.push_back(static_cast<char>(((byte & 3) << 6) | (next & 0x3F)));
  }
  return latin1;
}

std::string Utf8FromLatin1(std::string_view text) {
  std::string utf8;
  utf8.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8.push_back(c);
      continue;
    }
    utf8.push_back(static_cast<char>(0xC0 | (byte >> 6)));
    utf8.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
  }
  return utf8;
}

}  // namespace phasor::image
