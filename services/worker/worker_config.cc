#include "services/worker/worker_config.h"

#include <unistd.h>

#include "common/base/hash.h"
#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/config/yaml_reader.h"

namespace phasor::worker {
namespace {

constexpr int kMaxThreads = 1024;

// Seconds on the outside, milliseconds within; log words as text.
struct RawConfig {
  WorkerConfig config;
  double lease = 15;
  double grace = 25;
  int fake_step_ms = 20;
  double stall = 20;
  double cool_down = 30;
  std::string log_level = "info";
  std::string log_format = "text";
};

Status ReadYaml(const std::string& path, RawConfig* raw) {
  ASSIGN_OR_RETURN(config::YamlReader reader, config::YamlReader::Open(path));
  WorkerConfig& config = raw->config;
  reader.String("redis", &config.redis);
  reader.String("store", &config.store);
  reader.String("models", &config.models);
  reader.Strings("gateways", &config.gateways);
  reader.String("name", &config.name);
  reader.String("node", &config.node);
  reader.Int("threads", 0, kMaxThreads, &config.threads);
  reader.Double("lease", 1, 3600, &raw->lease);
  reader.Double("grace", 0, 86'400, &raw->grace);
  reader.String("metrics", &config.metrics);
  reader.Double("checkpoint_share", 0.0001, 1, &config.checkpoint_share);
  reader.Int("max_models_resident", 1, 64, &config.max_models_resident);
  reader.String("cache", &config.cache);
  reader.String("preload", &config.preload);
  reader.String("engine", &config.engine);
  reader.Int("fake_step_ms", 0, 60'000, &raw->fake_step_ms);
  reader.Double("stall", 0.1, 3600, &raw->stall);
  reader.Double("cool_down", 0, 3600, &raw->cool_down);
  reader.Double("max_memory_percent", 1, 100, &config.max_memory_percent);
  reader.String("log_level", &raw->log_level);
  reader.String("log_format", &raw->log_format);
  return reader.Finish();
}

void AddFlags(CLI::App& app, RawConfig* raw) {
  WorkerConfig& config = raw->config;
  app.add_option("--redis", config.redis, "redis://[user:password@]host[:port] or unix:///socket")
      ->envname("PHASOR_REDIS")
      ->capture_default_str();
  app.add_option("--store", config.store,
                 "result store: a folder, or a URL: file, redis, unix or s3 (docs/storage.md)")
      ->envname("PHASOR_STORE")
      ->capture_default_str();
  app.add_option("--models", config.models, "a model's directory, or a folder of them")
      ->envname("PHASOR_MODELS")
      ->capture_default_str();
  app.add_option("--gateway,--gateways", config.gateways, "gateways to report to")
      ->envname("PHASOR_GATEWAYS")
      ->delimiter(',');
  app.add_option("--name", config.name, "unique among running workers")
      ->envname("PHASOR_WORKER_NAME");
  app.add_option("--node", config.node, "machine or slot; default: the host name")
      ->envname("PHASOR_NODE");
  app.add_option("--threads", config.threads, "of the engine; 0: all cores")
      ->envname("PHASOR_THREADS")
      ->check(CLI::Range(0, kMaxThreads));
  app.add_option("--lease", raw->lease, "seconds that a job is leased for")
      ->envname("PHASOR_LEASE")
      ->check(CLI::Range(1.0, 3600.0))
      ->capture_default_str();
  app.add_option("--grace", raw->grace, "seconds for the job in hand after SIGTERM")
      ->envname("PHASOR_GRACE")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  app.add_option("--metrics", config.metrics, "host:port of /metrics and /readyz, or 'off'")
      ->envname("PHASOR_METRICS")
      ->capture_default_str();
  app.add_option("--checkpoint-share", config.checkpoint_share,
                 "share of a run's time that checkpoints may cost")
      ->envname("PHASOR_CHECKPOINT_SHARE")
      ->check(CLI::Range(0.0001, 1.0))
      ->capture_default_str();
  app.add_option("--max-models-resident", config.max_models_resident, "models held in memory")
      ->envname("PHASOR_MAX_MODELS_RESIDENT")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--cache", config.cache, "folder where digests of weight files are remembered")
      ->envname("PHASOR_CACHE");
  app.add_option("--preload", config.preload, "model to load at start; default: the first")
      ->envname("PHASOR_PRELOAD");
  app.add_option("--engine", config.engine, "real or fake")->envname("PHASOR_ENGINE");
  app.add_option("--fake-step-ms", raw->fake_step_ms, "what a step of the fake engine takes")
      ->envname("PHASOR_FAKE_STEP_MS")
      ->check(CLI::Range(0, 60000));
  app.add_option("--stall", raw->stall, "seconds that every unit of work has before it hangs")
      ->envname("PHASOR_STALL")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  app.add_option("--cool-down", raw->cool_down,
                 "seconds without a job after several in a row failed here")
      ->envname("PHASOR_COOL_DOWN")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--max-memory-percent", config.max_memory_percent,
                 "no job is taken while the host's memory is fuller; 100: whatever it is")
      ->envname("PHASOR_MAX_MEMORY_PERCENT")
      ->check(CLI::Range(1.0, 100.0))
      ->capture_default_str();
  app.add_option("--log-level", raw->log_level, "debug, info, warn, error or off")
      ->envname("PHASOR_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", raw->log_format, "text or json")
      ->envname("PHASOR_LOG_FORMAT")
      ->capture_default_str();
}

StatusOr<WorkerConfig> Complete(RawConfig raw) {
  WorkerConfig config = std::move(raw.config);
  config.lease = Millis(static_cast<int64_t>(raw.lease * 1000));
  config.grace = Millis(static_cast<int64_t>(raw.grace * 1000));
  config.fake_step = Millis(raw.fake_step_ms);
  config.stall = Millis(static_cast<int64_t>(raw.stall * 1000));
  config.cool_down = Millis(static_cast<int64_t>(raw.cool_down * 1000));
  ASSIGN_OR_RETURN(config.log.level, log::ParseLevel(raw.log_level));
  ASSIGN_OR_RETURN(config.log.format, log::ParseFormat(raw.log_format));
  if (config.node.empty()) config.node = HostName();
  if (config.name.empty()) {
    config.name = HostName() + "-" + std::to_string(getpid()) + "-" + RandomToken().substr(0, 4);
  }
  if (!config.engine.empty() && config.engine != "real" && config.engine != "fake") {
    return InvalidArgument("--engine must be real or fake, got '" + config.engine + "'");
  }
  return config;
}

}  // namespace

StatusOr<WorkerConfig> ReadWorkerConfig(int argc, const char* const* argv, bool* exit_early) {
  const config::ProgramOptions<RawConfig> options = {
      .program = "phasor-worker",
      .description =
          "takes jobs from the queue and draws their pictures.\n"
          "Exit codes: 0 asked to end, 1 could not start, 2 wrong settings, 70 the "
          "device was lost or a unit of work hung: start it anew.",
      .version = PHASOR_VERSION,
      .read_file = ReadYaml,
      .add_flags = AddFlags};
  ASSIGN_OR_RETURN(auto raw, config::ReadProgramOptions(options, argc, argv));
  *exit_early = !raw.has_value();
  if (*exit_early) return WorkerConfig{};
  return Complete(*std::move(raw));
}

}  // namespace phasor::worker
