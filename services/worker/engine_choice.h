// Which engine this program runs, LibTorch's where it is built in or the fake one, and on what.
#pragma once

#include <optional>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/cuda/device_choice.h"
#include "services/worker/take/executor.h"
#include "services/worker/take/gpu_care.h"
#include "services/worker/worker_config.h"

namespace phasor::worker {

// What the worker will compute on, before anything is waited for: a card that is not there is said
// at once. `config` names it from then on. Says in the log why "auto" is no card.
StatusOr<engine::ChosenDevice> SettleDevice(WorkerConfig* config);

// On `config`'s device, which has been settled. INVALID_ARGUMENT when the real engine is asked for
// and not built in. `clock` outlives the engines. The factory is called on the thread that will own
// the engine.
StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock);

// The card that the worker computes on, if it has one; that NVML is missing is said.
std::optional<WatchedGpu> WatchGpu(const engine::ChosenDevice& device);

}  // namespace phasor::worker
