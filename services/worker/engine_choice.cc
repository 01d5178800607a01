#include "services/worker/engine_choice.h"

#include "common/log/log.h"
#include "engine/cuda/driver.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/fake/fake_engine.h"
#ifdef PHASOR_HAS_ENGINE
#include "engine/runtime/make_engine.h"
#endif

namespace phasor::worker {

#ifdef PHASOR_HAS_ENGINE
namespace {

// Before anything is waited for: a card that is not there is said at once.
StatusOr<std::string> ChooseDevice(const std::string& wanted) {
  ASSIGN_OR_RETURN(const auto card, engine::ParseCudaDevice(wanted));
  if (!card) return wanted;
  const auto gpu = engine::FindGpu("cuda:" + std::to_string(card->index));
  if (gpu.ok()) {
    const auto report = engine::AskDriver();
    const std::string newer = report.ok() ? engine::NewerDriver(*report) : "";
    if (!newer.empty()) log::Warn("nobody has tried this driver", {{"why", newer}});
    return wanted;
  }
  if (!card->automatic) return gpu.status();
  log::Info("computing on the processor", {{"why", gpu.status()}});
  return std::string("cpu");
}

}  // namespace
#endif

StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock) {
  using Made = StatusOr<std::unique_ptr<engine::Engine>>;
#ifdef PHASOR_HAS_ENGINE
  if (config.engine != "fake") {
    ASSIGN_OR_RETURN(const std::string device, ChooseDevice(config.device));
    engine::EngineOptions options;
    options.threads = config.threads;
    options.device = device;
    options.dtype = config.dtype;
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
  if (config.engine == "real") {
    return InvalidArgument("--engine real: this program was built without the LibTorch engine");
  }
#endif
  const engine::FakeOptions options{.load_time = config.fake_load, .step_time = config.fake_step};
  return Executor::EngineFactory([options]() -> Made { return engine::MakeFakeEngine(options); });
}

std::unique_ptr<engine::GpuWatch> WatchGpu(const WorkerConfig& config) {
  const auto card = engine::ParseCudaDevice(config.device);
  if (config.engine == "fake" || !card.ok() || !*card) return nullptr;
  const auto gpu = engine::FindGpu("cuda:" + std::to_string((*card)->index));
  if (!gpu.ok()) return nullptr;  // which is said where the engine is chosen
  auto watch = engine::GpuWatch::Make(*gpu);
  if (watch.ok()) return *std::move(watch);
  log::Warn("nobody looks after the card", {{"why", watch.status()}});
  return nullptr;
}

}  // namespace phasor::worker
