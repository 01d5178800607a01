// Faults that a prompt asks the fake engine to play, so that a campaign can break real processes
// at a chosen unit of a chosen job:
//
//   fault:<what>@<unit>[x<times>]      among the prompt's words, any number of them
//   what: crash | hang | oom | device-lost | internal
//   unit: encode | step<N> | decode    step0 is the first step; decode is any picture's
//   times: how often at most this engine plays it for one job; without: every time
//
// "a red circle fault:oom@step3x1" runs out of memory once before its fourth step and then goes on;
// "fault:crash@decode" takes every worker with it. The real engine draws such words as any others.
// Pure functions.
#pragma once

#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

enum class FaultKind { kCrash, kHang, kOutOfMemory, kDeviceLost, kInternal };

struct FaultDirective {
  FaultKind kind = FaultKind::kInternal;
  UnitKind unit = UnitKind::kStep;
  int step = 0;   // index, for kStep
  int times = 0;  // 0: every time

  bool operator==(const FaultDirective&) const = default;
};

// The directives in the order of the prompt. INVALID_ARGUMENT names a word that begins as one and
// is none.
StatusOr<std::vector<FaultDirective>> ParseFaultDirectives(std::string_view prompt);

// True if the fault is to be played before `unit`.
bool Matches(const FaultDirective& directive, const Unit& unit);

}  // namespace phasor::engine
