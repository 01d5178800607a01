#include "services/cli/up/fleet_plan.h"

#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "common/base/byte_size.h"
#include "common/base/percent.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/memory/memory_budget.h"
#include "engine/memory/presets.h"
#include "engine/memory/strategy.h"
#include "services/cli/link/address.h"
#include "services/cli/up/fleet_certificates.h"
#include "services/cli/up/fleet_keys.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxSocketPath = sizeof(sockaddr_un::sun_path) - 1;

std::string RedisUrl(const UpOptions& options) {
  return "unix://" + PercentEncode(RedisSocket(options));
}

ProcessPlan RedisPlan(const UpOptions& options, const Programs& programs) {
  return {.name = "redis",
          .stage = kRedisStage,
          .stop_grace = Millis(10'000),
          .argv = {programs.redis_server, "--port", "0", "--unixsocket", RedisSocket(options),
                   "--unixsocketperm", "700", "--dir", options.directory + "/redis", "--appendonly",
                   "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--save",
                   "", "--daemonize", "no"}};
}

ProcessPlan GatewayPlan(const UpOptions& options, const Programs& programs, int number,
                        const std::string& listen, const std::string& metrics) {
  ProcessPlan plan{
      .name = number == 1 ? "gateway" : "gateway-" + std::to_string(number),
      .stage = kGatewayStage,
      .stop_grace = Millis(10'000),
      .argv = {programs.gateway, "--redis", RedisUrl(options), "--store",
               options.directory + "/store", "--models", options.models, "--secret-file",
               options.directory + "/secret", "--listen", listen, "--metrics", metrics}};
  if (options.insecure) plan.argv.emplace_back("--insecure");
  if (options.tls) {
    plan.argv.insert(plan.argv.end(), {"--tls-cert", GatewayCertificateFile(options.directory),
                                       "--tls-key", GatewayKeyFile(options.directory)});
  }
  if (options.keys) {
    plan.argv.insert(plan.argv.end(), {"--keys", KeysFile(options.directory), "--audit",
                                       options.directory + "/logs/audit.jsonl"});
  }
  return plan;
}

ProcessPlan WorkerPlan(const UpOptions& options, const Programs& programs, int number,
                       const std::string& gateways, int threads) {
  const std::string name = "worker-" + std::to_string(number);
  const auto text = [](double seconds) { return std::to_string(seconds); };
  ProcessPlan plan{
      .name = name,
      .stage = kWorkerStage,
      .stop_grace = Millis(static_cast<int64_t>(options.grace * 1000) + 10'000),
      .argv = {programs.worker, "--redis", RedisUrl(options), "--store",
               options.directory + "/store", "--models", options.models, "--gateways", gateways,
               // A slot of its own, so that a job that kills two of them is known as
               // the culprit.
               "--node", name, "--cache", options.directory + "/cache", "--threads",
               std::to_string(threads), "--lease", text(options.lease), "--grace",
               text(options.grace), "--metrics", "127.0.0.1:0"}};
  if (!options.engine.empty()) plan.argv.insert(plan.argv.end(), {"--engine", options.engine});
  const std::pair<const char*, const std::string&> words[] = {{"--preset", options.preset},
                                                              {"--device", options.device},
                                                              {"--vram", options.vram},
                                                              {"--strategy", options.strategy},
                                                              {"--dtype", options.dtype}};
  for (const auto& [flag, word] : words) {
    if (!word.empty()) plan.argv.insert(plan.argv.end(), {flag, word});
  }
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    const std::string& word = options.compute.*one.word;
    if (!word.empty()) plan.argv.insert(plan.argv.end(), {one.flag(), word});
  }
  if (options.tls) {
    plan.argv.insert(plan.argv.end(), {"--tls-ca", AuthorityFile(options.directory),
                                       "--tls-server-name", "localhost"});
  }
  if (options.keys) {
    plan.argv.insert(plan.argv.end(), {"--credential-file", WorkerKeyFile(options.directory)});
  }
  if (options.fake_step_ms >= 0) {
    plan.argv.insert(plan.argv.end(), {"--fake-step-ms", std::to_string(options.fake_step_ms)});
  }
  return plan;
}

}  // namespace

std::string RedisSocket(const UpOptions& options) { return options.directory + "/redis.sock"; }

StatusOr<std::vector<std::string>> ConsecutiveAddresses(const std::string& first, int count) {
  std::vector<std::string> addresses = {first};
  if (count == 1) return addresses;
  if (first.starts_with("unix:")) {
    const size_t slash = first.rfind('/');
    const size_t dot = first.rfind('.');
    const size_t cut = dot == std::string::npos || dot < slash ? first.size() : dot;
    for (int i = 2; i <= count; ++i) {
      addresses.push_back(first.substr(0, cut) + "-" + std::to_string(i) + first.substr(cut));
    }
    return addresses;
  }
  const size_t colon = first.rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(first.c_str() + colon + 1);
  if (port < 1 || port + count - 1 > 65535) {
    return InvalidArgument(first + ": there are no " + std::to_string(count) +
                           " consecutive ports from there");
  }
  for (int i = 1; i < count; ++i) {
    addresses.push_back(first.substr(0, colon + 1) + std::to_string(port + i));
  }
  return addresses;
}

std::string LogFile(const UpOptions& options, const std::string& process) {
  return options.directory + "/logs/" + process + ".log";
}

Status CheckDevice(const UpOptions& options) {
  RETURN_IF_ERROR(engine::CheckCompute(options.compute));
  if (!options.strategy.empty()) {
    const auto strategy = engine::ParseStrategy(options.strategy);
    if (!strategy.ok()) return InvalidArgument("--strategy " + Message(strategy.status()));
  }
  if (!options.device.empty()) {
    RETURN_IF_ERROR(Annotate(engine::CheckDeviceName(options.device), "--device"));
  }
  std::string device = options.device;
  if (!options.preset.empty()) {
    const auto preset = engine::FindPreset(options.preset);
    if (!preset.ok()) return InvalidArgument("--preset " + Message(preset.status()));
    if (device.empty()) device = preset->device;
  }
  if (options.vram.empty()) return OkStatus();
  if (!engine::IsBoundable(device)) {
    return InvalidArgument(std::string("--vram: ") + engine::kBoundable);
  }
  const auto bytes =
      ParseByteSize(options.vram, engine::kLeastDeviceBytes, engine::kMostDeviceBytes);
  return bytes.ok() ? OkStatus() : InvalidArgument("--vram " + Message(bytes.status()));
}

StatusOr<std::vector<ProcessPlan>> PlanFleet(const UpOptions& options, const Programs& programs,
                                             int cores) {
  if (options.workers < 1) return InvalidArgument("--workers must be at least 1");
  if (options.gateways < 1) return InvalidArgument("--gateways must be at least 1");
  RETURN_IF_ERROR(CheckDevice(options));
  if (RedisSocket(options).size() > kMaxSocketPath) {
    return InvalidArgument("--dir: the path " + RedisSocket(options) + " is too long for a socket" +
                           " (at most " + std::to_string(kMaxSocketPath) +
                           " bytes); choose a shorter directory");
  }
  ASSIGN_OR_RETURN(const auto listen, ConsecutiveAddresses(options.listen, options.gateways));
  std::vector<std::string> metrics(listen.size(), "off");
  if (options.metrics != "off") {
    ASSIGN_OR_RETURN(metrics, ConsecutiveAddresses(options.metrics, options.gateways));
  }
  std::vector<ProcessPlan> plans = {RedisPlan(options, programs)};
  std::string gateways;
  for (size_t i = 0; i < listen.size(); ++i) {
    plans.push_back(GatewayPlan(options, programs, static_cast<int>(i) + 1, listen[i], metrics[i]));
    gateways += (i == 0 ? "" : ",") + listen[i];
  }
  const int threads = std::max(1, cores / options.workers);
  for (int i = 1; i <= options.workers; ++i) {
    plans.push_back(WorkerPlan(options, programs, i, gateways, threads));
  }
  return plans;
}

}  // namespace phasor::cli
