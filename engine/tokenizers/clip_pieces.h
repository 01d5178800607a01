// CLIP's normalisation and its cut into words, as transformers 5.5.4 builds them for
// CLIPTokenizer. Pure functions, linear in the text. A hand-written scanner in place of
//   <\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace phasor::engine {

// NFC, runs of white space to one space, lower case; in this order, and no second NFC.
std::u32string NormalizeClipText(std::u32string_view text);

// Calls `visit` with each piece of normalised text in order, until it returns false.
void ForEachClipPiece(std::u32string_view text,
                      const std::function<bool(std::u32string_view)>& visit);

}  // namespace phasor::engine
