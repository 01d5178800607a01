// UTF-8 to and from Latin-1, the character set of PNG's tEXt chunks. Stateless, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace phasor::image {

// nullopt when a character lies above U+00FF or the text is not well-formed UTF-8.
std::optional<std::string> Latin1FromUtf8(std::string_view text);

std::string Utf8FromLatin1(std::string_view text);

}  // namespace phasor::image
