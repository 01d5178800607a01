// The kinds of work that a run does. Plain values.
#pragma once

#include <string_view>

namespace phasor::engine {

enum class UnitKind { kEncode, kStep, kDecode, kDone };

// The phase that a unit belongs to, in the word that people and programs read: "encode", "denoise",
// "decode" or "done".
std::string_view ToString(UnitKind kind);

}  // namespace phasor::engine
