// Why a worker takes no job. Plain values.
#pragma once

#include <array>
#include <string_view>

namespace phasor::worker {

// Why no job is taken, the lasting reasons first.
enum class Closed { kOrdered, kCordoned, kMemory, kResting };
inline constexpr std::array<Closed, 4> kClosedReasons = {Closed::kOrdered, Closed::kCordoned,
                                                         Closed::kMemory, Closed::kResting};

std::string_view ToString(Closed closed);  // "ordered"

}  // namespace phasor::worker
