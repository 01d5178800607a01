// Text that goes over wires: well-formed UTF-8, and cutting it. Pure functions.
#pragma once

#include <cstddef>
#include <string>

namespace phasor {

// What a text that is none is told, after the name of its field.
inline constexpr char kUtf8Rule[] = "must be UTF-8 without NUL characters";

// True for well-formed UTF-8 (Unicode 15, table 3-7) without NUL: what a prompt must be.
bool IsUtf8Text(const std::string& text);

// The text if it has at most `limit` bytes; else its beginning, never half a character, and "...".
std::string CutUtf8(std::string text, size_t limit);

}  // namespace phasor
