// An engine without networks: the same state machine, checkpoints and errors as the real one, and
// a picture that is a pure function of the spec. Workers run it when LibTorch is not built in, and
// tests of the services use it to make time and faults: by hooks, or from outside the process by
// words in the prompt (engine/fake/fault_directive.h).
//
// Threads and errors as engine/api/engine.h says. The hooks are called on the executor's thread.
#pragma once

#include <functional>
#include <memory>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/fake/fake_memory.h"

namespace phasor::engine {

struct FakeOptions {
  // What each of a model's kFakeModelParts takes to load.
  Millis load_time{0};
  // What each unit takes, image by image for the decoding. 0: no time at all.
  Millis encode_time{0};
  Millis step_time{0};
  Millis decode_time{0};
  // What it takes when a model's unit is of another kind than its last one, as if its phases had
  // weights that leave the device for each other. 0: all stay.
  Millis swap_time{0};
  // How unit time passes. Empty: the thread sleeps.
  std::function<void(Millis)> sleep = nullptr;
  // Called before a unit is done. A status other than OK fails the unit and leaves the run as it
  // was; a hook may also end the process, to play a crash. Empty: no faults.
  std::function<Status(const PictureSpec&, const Unit&)> before_unit = nullptr;
  FakeMemory memory = {};
};

// Loading goes part by part, as that of a model with several files.
inline constexpr int kFakeModelParts = 4;

// A `before_unit` hook that fails the n-th call (from 1) of all runs with `status`.
std::function<Status(const PictureSpec&, const Unit&)> FailNthUnit(int n, Status status);

// Load() wants a directory with a model_index.json and reads nothing else from it.
std::unique_ptr<Engine> MakeFakeEngine(FakeOptions options = {});

}  // namespace phasor::engine
