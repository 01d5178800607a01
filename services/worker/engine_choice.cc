#include "services/worker/engine_choice.h"

#include <utility>

#include "common/log/log.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/fake/fake_engine.h"
#ifdef PHASOR_HAS_ENGINE
#include "engine/runtime/make_engine.h"
#endif

namespace phasor::worker {

namespace {

bool IsReal(const WorkerConfig& config) {
#ifdef PHASOR_HAS_ENGINE
  return config.engine != "fake";
#else
  return config.engine == "real";
#endif
}

}  // namespace

StatusOr<engine::ChosenDevice> SettleDevice(WorkerConfig* config) {
  if (!IsReal(*config)) {
    if (config->device == "auto") {
      config->device = "cpu";
      config->vram_bytes = 0;
    }
    return engine::ChosenDevice();
  }
  ASSIGN_OR_RETURN(engine::ChosenDevice device, engine::ChooseDevice(config->device));
  config->device = device.name;
  if (!engine::IsBoundable(device.name)) config->vram_bytes = 0;  // of a card that there is not
  if (!device.note.empty()) log::Warn("nobody has tried this driver", {{"why", device.note}});
  if (!device.why_no_card.ok()) {
    log::Info("computing on the processor", {{"why", device.why_no_card}});
  }
  return device;
}

StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock) {
  using Made = StatusOr<std::unique_ptr<engine::Engine>>;
#ifdef PHASOR_HAS_ENGINE
  if (IsReal(config)) {
    engine::EngineOptions options;
    options.threads = config.threads;
    options.device = config.device;
    options.dtype = config.dtype;
    options.compute = config.compute;
    options.vram_bytes = config.vram_bytes;
    options.strategy = config.strategy;
    options.fail_one_in = static_cast<uint64_t>(config.fail_one_in);
    options.cache_directory = config.cache;
    options.embedding_cache_bytes = config.embedding_cache_bytes;
    return Executor::EngineFactory(
        [options, &clock]() -> Made { return engine::MakeEngine(options, clock); });
  }
#else
  (void)clock;
  if (IsReal(config)) {
    return InvalidArgument("--engine real: this program was built without the LibTorch engine");
  }
#endif
  const engine::FakeOptions options{
      .load_time = config.fake_load, .step_time = config.fake_step, .swap_time = config.fake_swap};
  return Executor::EngineFactory([options]() -> Made { return engine::MakeFakeEngine(options); });
}

std::optional<WatchedGpu> WatchGpu(const engine::ChosenDevice& device) {
  if (!device.card) return std::nullopt;
  WatchedGpu gpu{.card = *device.card, .driver = device.driver, .watch = nullptr};
  auto watch = engine::GpuWatch::Make(gpu.card);
  if (watch.ok()) {
    gpu.watch = *std::move(watch);
  } else {
    log::Warn("nobody looks after the card", {{"why", watch.status()}});
  }
  return gpu;
}

}  // namespace phasor::worker
