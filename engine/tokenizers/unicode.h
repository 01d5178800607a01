// What tokenizers need of Unicode: UTF-8, classes, lower-casing, and normalisation form C, equal
// to what the Rust library `tokenizers` 0.22.2 does. Pure functions, linear in the text but for
// long runs of combining marks (n log n).
#pragma once

#include <string>
#include <string_view>

namespace phasor::engine {

// Invalid bytes become U+FFFD, one for each maximal invalid sequence; never fails.
std::u32string DecodeUtf8(std::string_view text);
void AppendUtf8(char32_t code, std::string& out);

bool IsLetter(char32_t code);  // \p{L}
bool IsNumber(char32_t code);  // \p{N}
bool IsSpace(char32_t code);   // \s
bool IsWord(char32_t code);    // \w

// Full mapping of one character without context; two characters for U+0130 only.
void AppendLower(char32_t code, std::u32string& out);

std::u32string NormalizeNfc(std::u32string_view text);

}  // namespace phasor::engine
