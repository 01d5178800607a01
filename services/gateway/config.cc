#include "services/gateway/config.h"

#include <unistd.h>

#include <utility>

#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/config/yaml_reader.h"

namespace phasor::gateway {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxQueue = 1'000'000;
constexpr double kMaxGrace = 3600;
constexpr double kMaxHours = 24 * 366 * 10;
constexpr double kMaxSweepEvery = 24 * 3600;

// Seconds and hours on the outside, milliseconds within; log words as text.
struct RawConfig {
  GatewayConfig config;
  double grace = 5;
  double sweep_every = 3600;  // seconds
  double keep_orphans = 24;   // hours
  double keep_results = 0;    // hours
  double keep_records = 0;    // hours
  std::string log_level = "info";
  std::string log_format = "text";
};

void ReadSeconds(config::YamlReader& reader, const char* key, double least, Millis* time) {
  constexpr double kMaxSeconds = 86'400;
  double seconds = static_cast<double>(time->count()) / 1000;
  reader.Double(key, least, kMaxSeconds, &seconds);
  *time = Millis(static_cast<int64_t>(seconds * 1000));
}

void ReadLimits(config::YamlReader* reader, std::optional<queue::QueueLimits>* limits) {
  if (!reader->Has("limits")) return;
  config::YamlReader child = reader->Child("limits");
  queue::QueueLimits& read = limits->emplace();
  constexpr int64_t kMaxJobs = 1'000'000'000;
  child.Int("max_jobs", 1, kMaxJobs, &read.max_jobs);
  child.Int("max_per_tenant", 1, kMaxJobs, &read.max_per_tenant);
  child.Int("max_running_per_tenant", 1, kMaxJobs, &read.max_running_per_tenant);
  child.Int("max_tries", 1, 100, &read.max_tries);
  child.Int("max_crashes", 1, 100, &read.max_crashes);
  ReadSeconds(child, "stall", 1, &read.stall);
  ReadSeconds(child, "preempt_after", 0, &read.preempt_after);
  ReadSeconds(child, "preempt_floor", 0, &read.preempt_floor);
  child.Int("max_preemptions", 0, 1000, &read.max_preemptions);
  child.Int("max_dead", 0, 1'000'000, &read.max_dead);
  reader->Absorb(child);
}

Status ReadYaml(const std::string& path, RawConfig* raw) {
  ASSIGN_OR_RETURN(config::YamlReader reader, config::YamlReader::Open(path));
  GatewayConfig& config = raw->config;
  reader.String("listen", &config.listen);
  reader.String("metrics", &config.metrics);
  reader.String("redis", &config.redis);
  reader.String("store", &config.store);
  reader.String("models", &config.models);
  reader.String("secret_file", &config.secret_file);
  reader.String("name", &config.name);
  reader.Int("work_threads", 1, kMaxThreads, &config.work_threads);
  reader.Int("work_queue", 1, kMaxQueue, &config.work_queue);
  reader.Double("grace", 0, kMaxGrace, &raw->grace);
  reader.Double("sweep_every", 1, kMaxSweepEvery, &raw->sweep_every);
  reader.Double("keep_orphans", 1, kMaxHours, &raw->keep_orphans);
  reader.Double("keep_results", 0, kMaxHours, &raw->keep_results);
  reader.Double("keep_records", 0, kMaxHours, &raw->keep_records);
  reader.String("log_level", &raw->log_level);
  reader.String("log_format", &raw->log_format);
  ReadLimits(&reader, &config.limits);
  return reader.Finish();
}

void AddFlags(CLI::App& app, RawConfig* raw) {
  GatewayConfig& config = raw->config;
  app.add_option("--listen", config.listen, "host:port or unix:/path to serve gRPC on")
      ->envname("PHASOR_LISTEN")
      ->capture_default_str();
  app.add_option("--metrics", config.metrics, "host:port of /metrics and /readyz, or 'off'")
      ->envname("PHASOR_METRICS")
      ->capture_default_str();
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
  app.add_option("--secret-file", config.secret_file,
                 "secret of the fleet, made if it is not there")
      ->envname("PHASOR_SECRET_FILE")
      ->capture_default_str();
  app.add_option("--name", config.name, "of this gateway; default: host name and process id")
      ->envname("PHASOR_GATEWAY_NAME");
  app.add_option("--work-threads", config.work_threads,
                 "for calls that wait for Redis or the store")
      ->envname("PHASOR_WORK_THREADS")
      ->check(CLI::Range(1, kMaxThreads))
      ->capture_default_str();
  app.add_option("--work-queue", config.work_queue, "calls that may wait for a thread")
      ->envname("PHASOR_WORK_QUEUE")
      ->check(CLI::Range(1, kMaxQueue))
      ->capture_default_str();
  app.add_option("--grace", raw->grace, "seconds for calls in progress after SIGTERM")
      ->envname("PHASOR_GRACE")
      ->check(CLI::Range(0.0, kMaxGrace))
      ->capture_default_str();
  app.add_option("--sweep-every", raw->sweep_every,
                 "seconds between looks for what the store can let go")
      ->envname("PHASOR_SWEEP_EVERY")
      ->check(CLI::Range(1.0, kMaxSweepEvery))
      ->capture_default_str();
  app.add_option("--keep-orphans", raw->keep_orphans,
                 "hours that files without a job are kept, at least 1")
      ->envname("PHASOR_KEEP_ORPHANS")
      ->capture_default_str();
  app.add_option("--keep-results", raw->keep_results, "hours that pictures are kept; 0: for ever")
      ->envname("PHASOR_KEEP_RESULTS")
      ->capture_default_str();
  app.add_option("--keep-records", raw->keep_records,
                 "hours that the ends of jobs are known, at least 72; 0: for ever")
      ->envname("PHASOR_KEEP_RECORDS")
      ->capture_default_str();
  app.add_option("--log-level", raw->log_level, "debug, info, warn, error or off")
      ->envname("PHASOR_LOG_LEVEL")
      ->capture_default_str();
  app.add_option("--log-format", raw->log_format, "text or json")
      ->envname("PHASOR_LOG_FORMAT")
      ->capture_default_str();
}

StatusOr<Millis> Hours(const char* flag, double hours) {
  if (hours >= 0 && hours <= kMaxHours) return Millis(static_cast<int64_t>(hours * 3'600'000));
  return InvalidArgument(std::string(flag) + " must be between 0 and " +
                         std::to_string(static_cast<int64_t>(kMaxHours)) + " hours");
}

StatusOr<GatewayConfig> Complete(RawConfig raw) {
  GatewayConfig config = std::move(raw.config);
  config.shutdown_grace = Millis(static_cast<int64_t>(raw.grace * 1000));
  config.sweep_every = Millis(static_cast<int64_t>(raw.sweep_every * 1000));
  ASSIGN_OR_RETURN(config.sweep.orphan_after, Hours("--keep-orphans", raw.keep_orphans));
  ASSIGN_OR_RETURN(config.sweep.result_retention, Hours("--keep-results", raw.keep_results));
  ASSIGN_OR_RETURN(config.sweep.record_retention, Hours("--keep-records", raw.keep_records));
  RETURN_IF_ERROR(storage::Validate(config.sweep));
  ASSIGN_OR_RETURN(config.log.level, log::ParseLevel(raw.log_level));
  ASSIGN_OR_RETURN(config.log.format, log::ParseFormat(raw.log_format));
  if (config.name.empty()) config.name = HostName() + "-" + std::to_string(getpid());
  return config;
}

}  // namespace

StatusOr<GatewayConfig> ReadGatewayConfig(int argc, const char* const* argv, bool* exit_early) {
  const config::ProgramOptions<RawConfig> options = {
      .program = "phasor-gateway",
      .description = "takes requests over gRPC, queues them, tells what becomes of them.",
      .version = PHASOR_VERSION,
      .read_file = ReadYaml,
      .add_flags = AddFlags};
  ASSIGN_OR_RETURN(auto raw, config::ReadProgramOptions(options, argc, argv));
  *exit_early = !raw.has_value();
  if (*exit_early) return GatewayConfig{};
  return Complete(*std::move(raw));
}

}  // namespace phasor::gateway
