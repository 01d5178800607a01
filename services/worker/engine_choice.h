// Which engine this program runs: LibTorch's where it is built in, or the fake one.
#pragma once

#include "common/base/clock.h"
#include "common/base/status.h"
#include "services/worker/take/executor.h"
#include "services/worker/worker_config.h"

namespace phasor::worker {

// INVALID_ARGUMENT when the real engine is asked for and not built in. `clock` outlives the
// engines. The factory is called on the thread that will own the engine.
StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock);

}  // namespace phasor::worker
