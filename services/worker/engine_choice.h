// Which engine this program runs: LibTorch's where it is built in, or the fake one.
#pragma once

#include <memory>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/cuda/nvml.h"
#include "services/worker/take/executor.h"
#include "services/worker/worker_config.h"

namespace phasor::worker {

// INVALID_ARGUMENT when the real engine is asked for and not built in. `clock` outlives the
// engines. The factory is called on the thread that will own the engine.
StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock);

// Of the card that the worker computes on; null where it has none or NVML is missing, which is
// said.
std::unique_ptr<engine::GpuWatch> WatchGpu(const WorkerConfig& config);

}  // namespace phasor::worker
