#include "services/worker/engine_choice.h"

#include "engine/fake/fake_engine.h"
#ifdef PHASOR_HAS_ENGINE
#include "engine/runtime/make_engine.h"
#endif

namespace phasor::worker {

StatusOr<Executor::EngineFactory> ChooseEngine(const WorkerConfig& config, const Clock& clock) {
  using Made = StatusOr<std::unique_ptr<engine::Engine>>;
#ifdef PHASOR_HAS_ENGINE
  if (config.engine != "fake") {
    engine::EngineOptions options;
    options.threads = config.threads;
    options.device = config.device;
    options.vram_bytes = config.vram_bytes;
    options.strategy = config.strategy;
    options.fail_one_in = static_cast<uint64_t>(config.fail_one_in);
    options.cache_directory = config.cache;
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

}  // namespace phasor::worker
