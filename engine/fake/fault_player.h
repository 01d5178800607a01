// Plays the faults that prompts ask for (engine/fake/fault_directive.h) and remembers how often it
// did, per job: the prompt, its seed and its size stand for the job. One thread, the executor.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/fake/fault_directive.h"

namespace phasor::engine {

// The exit status of a process that a directive crashed: that of an abort, without a core file.
inline constexpr int kCrashExitCode = 134;

class FaultPlayer {
 public:
  // `sleep` lets a hang take its time: a day, after which the unit fails with DEADLINE_EXCEEDED.
  explicit FaultPlayer(std::function<void(Millis)> sleep) : sleep_(std::move(sleep)) {}

  // What comes of the unit: OK, or a failure in the engine's words. A crash ends the process on
  // the spot, nothing is flushed.
  Status BeforeUnit(const PictureSpec& spec, const Unit& unit);

 private:
  Status Play(FaultKind kind);

  const std::function<void(Millis)> sleep_;
  std::map<std::string, int> played_;
};

}  // namespace phasor::engine
