// Makes the LibTorch engine. Part of the target phasor::engine, which only exists in builds with
// PHASOR_ENGINE=ON; no LibTorch type appears here. The engine without LibTorch is
// MakeFakeEngine (engine/fake/fake_engine.h).
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

// To be called on the thread that will own the engine: sets that thread's floating-point mode and
// the process's thread counts. INVALID_ARGUMENT names the option. `clock` must outlive the engine.
StatusOr<std::unique_ptr<Engine>> MakeEngine(const EngineOptions& options, const Clock& clock);

}  // namespace phasor::engine
