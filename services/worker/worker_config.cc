#include "services/worker/worker_config.h"

#include <unistd.h>

#include "common/base/byte_size.h"
#include "common/base/hash.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/config/shared_settings.h"
#include "common/rpc/client_tls_settings.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/presets.h"
#include "engine/memory/strategy.h"

namespace phasor::worker {
namespace {

constexpr int kMaxThreads = 1024;
constexpr uint64_t kMostResultCache = uint64_t{1} << 40;

struct RawConfig {
  WorkerConfig config;
  std::string preset;
  std::string vram;
  double max_cache_gb = 0;
  std::string result_cache = "0";
  std::string embedding_cache = "16MiB";
  config::LogWords log;
};

// Some have names that people know from other servers, too.
void DeclareMemory(config::Settings& settings, RawConfig* raw) {
  WorkerConfig& config = raw->config;
  settings.Text(
      {"preset",
       "4gb, 8gb, 24gb: device and memory for a card of that size, or the CPU where there "
       "is none; cpu. What else is set wins"},
      &raw->preset);
  settings.Text({"device",
                 "cpu; sim: the CPU with a card's memory, simulated; cuda:N: a card; auto: the "
                 "first card there is, else the CPU"},
                &config.device);
  settings.Text({"vram",
                 "memory of the simulated device, or what to take of a card's, e.g. 4GiB; default: "
                 "no bound"},
                &raw->vram);
  settings.Text({"dtype",
                 "what the networks compute in: fp32, bf16 or fp16, where the device has it; auto: "
                 "fp16 on cards, else fp32"},
                &config.dtype);
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    settings.Text({one.key, one.hint()}, &(config.compute.*one.word));
  }
  settings.Text({"strategy", "how weights share the device's memory; AUTO: the cheapest that fits"},
                &config.strategy);
  settings.Whole({"sim_fail_one_in",
                  "for tests: about one in so many allocations of the simulated device fails"},
                 0, 1 << 30, &config.fail_one_in);
  settings.Whole({.key = "max_models_resident",
                  .help = "models held in memory",
                  .also = "MAX_MODELS_IN_MEMORY"},
                 1, 64, &config.max_models_resident);
  settings.Number({.key = "max_cache_size_gb",
                   .help = "GiB of weights of models held in memory; 0: whatever they are",
                   .also = "MAX_CACHE_SIZE_GB"},
                  0, 1 << 20, &raw->max_cache_gb);
  settings.Whole({"group",
                  "jobs of one model that are computed together, phase by phase, where the device "
                  "does not hold all at once; 1: each alone"},
                 1, 64, &config.group);
  settings.Seconds({"group_wait",
                    "seconds that such a group, or the jobs of one model that go first, may make "
                    "others wait; at most a quarter of what their class may"},
                   0, 3600, &config.group_wait);
  settings.Flag({.key = "memory_efficient_loading",
                 .help = "idle models leave the device before another one is loaded, and not only "
                         "when it would not fit",
                 .also = "MEMORY_EFFICIENT_LOADING"},
                &config.load_alone);
  settings.Text(
      {"result_cache", "memory for pictures that equal requests get again, e.g. 64MiB; 0: none"},
      &raw->result_cache);
  settings.Text(
      {"embedding_cache",
       "memory of the host, for each model, for what its text encoder made of prompts that "
       "come again; 0: none"},
      &raw->embedding_cache);
  settings.Text({"debug_dir", "folder for a record of each job that failed here"},
                &config.debug_dir);
  settings.Flag({"debug_prompts", "these records have the prompts"}, &config.debug_prompts);
  settings.Whole({"debug_records", "of these records, how many are kept"}, 1, 100'000,
                 &config.debug_records);
}

void Declare(config::Settings& settings, RawConfig* raw) {
  WorkerConfig& config = raw->config;
  config::DeclareShared(settings, &config, &raw->log);
  trace::DeclareTraces(settings, &config.traces);
  settings.Texts({"gateways", "gateways to report to; grpcs://host:port: with TLS"},
                 &config.gateways);
  rpc::DeclareClientTls(settings, &config.tls);
  settings.Text({"credential_file", "file with the key or token that reports to gateways carry",
                 "PHASOR_KEY_FILE"},
                &config.credential_file);
  settings.Text({"name", "unique among running workers", "PHASOR_WORKER_NAME"}, &config.name);
  settings.Text({"node", "machine or slot; default: the host name"}, &config.node);
  settings.Whole({"threads", "of the engine; 0: all cores"}, 0, kMaxThreads, &config.threads);
  settings.Seconds({"lease", "seconds that a job is leased for"}, 1, 3600, &config.lease);
  settings.Seconds({"grace", "seconds for the job in hand after SIGTERM"}, 0, 86'400,
                   &config.grace);
  settings.Number({"checkpoint_share", "share of a run's time that checkpoints may cost"}, 0.0001,
                  1, &config.checkpoint_share);
  DeclareMemory(settings, raw);
  settings.Text({"cache", "folder where digests of weight files are remembered"}, &config.cache);
  settings.Text({"preload", "model to load at start; default: the first"}, &config.preload);
  settings.Text({"engine", "real or fake"}, &config.engine);
  settings.Duration({"fake_step_ms", "milliseconds that a step of the fake engine takes"},
                    Millis(1), 0, 60'000, &config.fake_step);
  settings.Duration({"fake_load_ms", "milliseconds that each part of a model takes to load in it"},
                    Millis(1), 0, 3'600'000, &config.fake_load);
  settings.Duration(
      {"fake_swap_ms", "milliseconds that its phases take to bring their weights; 0: all stay"},
      Millis(1), 0, 60'000, &config.fake_swap);
  settings.Seconds({"stall", "seconds that every unit of work has before it hangs"}, 0.1, 3600,
                   &config.stall);
  settings.Seconds({"cool_down", "seconds without a job after several in a row failed here"}, 0,
                   3600, &config.cool_down);
  settings.Number({"max_memory_percent",
                   "no job is taken while the host's memory is fuller; 100: whatever it is"},
                  1, 100, &config.max_memory_percent);
}

Status TakePreset(const RawConfig& said, RawConfig* raw) {
  if (said.preset.empty()) return OkStatus();
  const auto preset = engine::FindPreset(said.preset);
  if (!preset.ok()) return InvalidArgument("--preset " + Message(preset.status()));
  raw->config.device = preset->device;
  raw->config.vram_bytes = preset->vram_bytes;
  raw->config.max_models_resident = preset->models;
  raw->config.load_alone = preset->load_alone;
  const auto text = [](uint64_t bytes) { return bytes == 0 ? "0" : ByteSizeText(bytes); };
  raw->embedding_cache = text(preset->embedding_cache_bytes);
  raw->result_cache = text(preset->result_cache_bytes);
  return OkStatus();
}

Status CompleteDevice(const std::string& vram, WorkerConfig* config) {
  if (const Status named = engine::CheckDeviceName(config->device); !named.ok()) {
    return InvalidArgument("--device " + Message(named));
  }
  RETURN_IF_ERROR(engine::CheckCompute(config->compute));
  if (config->device == "cuda") config->device = "cuda:0";
  const auto strategy = engine::ParseStrategy(config->strategy);
  if (!strategy.ok()) return InvalidArgument("--strategy " + Message(strategy.status()));
  if (!engine::IsBoundable(config->device)) {
    config->vram_bytes = 0;  // a preset's
    if (!vram.empty()) return InvalidArgument(std::string("--vram: ") + engine::kBoundable);
  }
  if (vram.empty()) return OkStatus();
  const auto bytes = ParseByteSize(vram, engine::kLeastDeviceBytes, engine::kMostDeviceBytes);
  if (!bytes.ok()) return InvalidArgument("--vram " + Message(bytes.status()));
  config->vram_bytes = *bytes;
  return OkStatus();
}

StatusOr<WorkerConfig> Complete(RawConfig raw) {
  WorkerConfig config = std::move(raw.config);
  ASSIGN_OR_RETURN(config.log, config::ParseLogWords(raw.log));
  RETURN_IF_ERROR(CompleteDevice(raw.vram, &config));
  config.max_model_bytes = static_cast<uint64_t>(raw.max_cache_gb * (uint64_t{1} << 30));
  const auto kept = ParseByteSize(raw.result_cache, 0, kMostResultCache);
  if (!kept.ok()) return InvalidArgument("--result-cache " + Message(kept.status()));
  config.result_cache_bytes = *kept;
  const auto texts = ParseByteSize(raw.embedding_cache, 0, kMostResultCache);
  if (!texts.ok()) return InvalidArgument("--embedding-cache " + Message(texts.status()));
  config.embedding_cache_bytes = *texts;
  if (config.node.empty()) config.node = HostName();
  if (config.name.empty()) {
    config.name = HostName() + "-" + std::to_string(getpid()) + "-" + RandomToken().substr(0, 4);
  }
  RETURN_IF_ERROR(trace::CompleteTraces("phasor-worker", config.name, &config.traces));
  if (!config.engine.empty() && config.engine != "real" && config.engine != "fake") {
    return InvalidArgument("--engine must be real or fake, got '" + config.engine + "'");
  }
  return config;
}

}  // namespace

void ListWorkerSettings(config::Settings& list) {
  RawConfig raw;
  Declare(list, &raw);
}

StatusOr<WorkerConfig> ReadWorkerConfig(int argc, const char* const* argv, bool* exit_early) {
  const config::ProgramOptions<RawConfig> options = {
      .program = "phasor-worker",
      .description =
          "takes jobs from the queue and draws their pictures.\n"
          "Exit codes: 0 asked to end, 1 could not start, 2 wrong settings, 70 the "
          "device was lost or a unit of work hung: start it anew.",
      .version = PHASOR_VERSION,
      .declare = Declare,
      .read_more = nullptr,
      .defaults = TakePreset};
  ASSIGN_OR_RETURN(auto raw, config::ReadProgramOptions(options, argc, argv));
  *exit_early = !raw.has_value();
  if (*exit_early) return WorkerConfig{};
  return Complete(*std::move(raw));
}

}  // namespace phasor::worker
