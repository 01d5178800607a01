#include "services/gateway/config.h"

#include <unistd.h>

#include <utility>

#include "common/base/process.h"
#include "common/config/program_options.h"
#include "common/config/shared_settings.h"
#include "common/rpc/address.h"
#include "services/gateway/limit_bounds.h"

namespace phasor::gateway {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxQueue = 1'000'000;
constexpr double kMaxGrace = 3600;
constexpr double kMaxHours = 24 * 366 * 10;
constexpr double kMaxSweepEvery = 24 * 3600;

struct RawConfig {
  GatewayConfig config;
  access::TokenRules tokens;
  config::LogWords log;
};

void ReadLimits(config::YamlReader& file, RawConfig* raw) {
  if (!file.Has("limits")) return;
  config::YamlReader child = file.Child("limits");
  queue::QueueLimits& read = raw->config.limits.emplace();
  child.Int("max_jobs", 1, bounds::kJobs, &read.max_jobs);
  child.Int("max_per_tenant", 1, bounds::kJobs, &read.max_per_tenant);
  child.Int("max_running_per_tenant", 1, bounds::kJobs, &read.max_running_per_tenant);
  child.Int("max_tries", 1, bounds::kSetbacks, &read.max_tries);
  child.Int("max_crashes", 1, bounds::kSetbacks, &read.max_crashes);
  config::FileSettings times(child);
  times.Seconds({"stall", ""}, 1, bounds::kSeconds, &read.stall);
  times.Seconds({"preempt_after", ""}, 0, bounds::kSeconds, &read.preempt_after);
  times.Seconds({"preempt_floor", ""}, 0, bounds::kSeconds, &read.preempt_floor);
  child.Int("max_preemptions", 0, bounds::kPreemptions, &read.max_preemptions);
  child.Int("max_dead", 0, bounds::kDead, &read.max_dead);
  child.Int("max_ended", 0, bounds::kJobs, &read.max_ended);
  child.Int("ended_memory_percent", 1, 100, &read.ended_memory_percent);
  file.Absorb(child);
}

void DeclareListeners(config::Settings& settings, GatewayConfig& config) {
  settings.Text({"listen", "host:port or unix:/path to serve gRPC on"}, &config.listen);
  settings.Text({"listen_admin",
                 "the same for operators: Admin, reflection, channelz; default: "
                 "where clients are served"},
                &config.listen_admin);
  settings.Text({"listen_workers", "the same for workers' reports"}, &config.listen_workers);
  settings.Text({"tls_cert", "file with the certificate to show, and those that vouch for it"},
                &config.tls.certificate);
  settings.Text({"tls_key", "file with its key"}, &config.tls.key);
  settings.Text({"tls_client_ca", "file with the authorities whose certificates let callers in"},
                &config.tls.authorities);
  settings.Texts({"tls_client_certs", "with tls_client_ca, who must show a certificate"},
                 &config.certificates_of);
  settings.Flag({"insecure", "serve other machines although nothing proves who calls"},
                &config.insecure);
}

void DeclareAccess(config::Settings& settings, RawConfig* raw) {
  settings.Text({"keys",
                 "who may call (docs/security.md): 'off' for everybody, keys in 'redis', or "
                 "in a file"},
                &raw->config.keys);
  settings.Text({"audit",
                 "where refusals and what operators do are written down, with keys: "
                 "'stderr', 'off' or a file"},
                &raw->config.audit);
  access::TokenRules& tokens = raw->tokens;
  settings.Text({"jwt_jwks", "public keys of an issuer of tokens: a file or an https:// URL"},
                &tokens.jwks);
  settings.Text({"jwt_issuer", "tokens' issuer"}, &tokens.issuer);
  settings.Text({"jwt_audience", "for whom tokens are, if they are for this fleet"},
                &tokens.audience);
  settings.Text({"jwt_tenant_claim", "of tokens, with the tenant; '/a/b': within others"},
                &tokens.tenant_claim);
  settings.Text({"jwt_roles_claim", "the same with the roles"}, &tokens.roles_claim);
  settings.Text({"jwt_role_prefix", "what stands before the words draw, read, operate, work there"},
                &tokens.role_prefix);
}

void DeclareQuotas(config::Settings& settings, GatewayConfig& config) {
  settings.Count({"pixel_steps_per_tenant",
                  "quota of each tenant without its own: pixels times steps that its new jobs may "
                  "come to in a minute (docs/security.md); default: what the queue has stays"},
                 0, queue::kNoQuota, &config.pixel_steps_per_tenant);
  settings.Count({"prompt_bytes_per_tenant", "the same of their prompts"}, 0, queue::kNoQuota,
                 &config.prompt_bytes_per_tenant);
  settings.Count({"result_bytes_per_tenant", "the same of their pictures before compression"}, 0,
                 queue::kNoQuota, &config.result_bytes_per_tenant);
}

void Declare(config::Settings& settings, RawConfig* raw) {
  GatewayConfig& config = raw->config;
  DeclareListeners(settings, config);
  config::DeclareShared(settings, &config, &raw->log);
  trace::DeclareTraces(settings, &config.traces);
  settings.Text({"secret_file", "secret of the fleet, made if it is not there"},
                &config.secret_file);
  DeclareAccess(settings, raw);
  DeclareQuotas(settings, config);
  settings.Text(
      {"name", "of this gateway; default: host name and process id", "PHASOR_GATEWAY_NAME"},
      &config.name);
  settings.Whole({"work_threads", "for calls that wait for Redis or the store"}, 1, kMaxThreads,
                 &config.work_threads);
  settings.Whole({"work_queue", "calls that may wait for a thread"}, 1, kMaxQueue,
                 &config.work_queue);
  settings.Seconds({"grace", "seconds for calls in progress after SIGTERM"}, 0, kMaxGrace,
                   &config.shutdown_grace);
  settings.Seconds({"sweep_every", "seconds between looks for what the store can let go"}, 1,
                   kMaxSweepEvery, &config.sweep_every);
  settings.Hours({"keep_orphans", "hours that files without a job are kept"}, 1, kMaxHours,
                 &config.sweep.orphan_after);
  settings.Hours({"keep_results", "hours that pictures are kept; 0: for ever"}, 0, kMaxHours,
                 &config.sweep.result_retention);
  settings.Hours(
      {"keep_records", "hours that the ends of jobs are known, at least 72; 0: for ever"}, 0,
      kMaxHours, &config.sweep.record_retention);
}

Status CheckListeners(const GatewayConfig& config) {
  if (config.tls.certificate.empty() && !config.tls.authorities.empty()) {
    return InvalidArgument("--tls-client-ca needs --tls-cert and --tls-key");
  }
  ASSIGN_OR_RETURN(const auto listeners, ListenersOf(config));
  for (const Listener& listener : listeners) {
    RETURN_IF_ERROR(rpc::CheckAddress(listener.address));
  }
  // One that asks for certificates is not open to everybody.
  const std::string operations = config.metrics_tls.authorities.empty() ? config.metrics : "off";
  return CheckExposure({.listeners = listeners,
                        .operations = operations,
                        .credentials = config.keys != "off" || config.tokens.has_value(),
                        .insecure = config.insecure});
}

StatusOr<GatewayConfig> Complete(RawConfig raw) {
  GatewayConfig config = std::move(raw.config);
  RETURN_IF_ERROR(storage::Validate(config.sweep));
  if (raw.tokens != access::TokenRules{}) {
    RETURN_IF_ERROR(access::Validate(raw.tokens));
    config.tokens = std::move(raw.tokens);
  }
  RETURN_IF_ERROR(CheckListeners(config));
  ASSIGN_OR_RETURN(config.log, config::ParseLogWords(raw.log));
  if (config.name.empty()) config.name = HostName() + "-" + std::to_string(getpid());
  RETURN_IF_ERROR(trace::CompleteTraces("phasor-gateway", config.name, &config.traces));
  return config;
}

}  // namespace

StatusOr<std::vector<Listener>> ListenersOf(const GatewayConfig& config) {
  ListenWords words{config.listen, config.listen_admin, config.listen_workers};
  if (!config.tls.authorities.empty()) words.certificates_of = config.certificates_of;
  return PlanListeners(words);
}

queue::QueueLimits LimitsOf(const GatewayConfig& config, const queue::QueueLimits& standing) {
  queue::QueueLimits limits = config.limits.value_or(standing);
  limits.pixel_steps_per_tenant =
      config.pixel_steps_per_tenant.value_or(standing.pixel_steps_per_tenant);
  limits.prompt_bytes_per_tenant =
      config.prompt_bytes_per_tenant.value_or(standing.prompt_bytes_per_tenant);
  limits.result_bytes_per_tenant =
      config.result_bytes_per_tenant.value_or(standing.result_bytes_per_tenant);
  return limits;
}

void ListGatewaySettings(config::Settings& list) {
  RawConfig raw;
  Declare(list, &raw);
}

StatusOr<GatewayConfig> ReadGatewayConfig(int argc, const char* const* argv, bool* exit_early) {
  const config::ProgramOptions<RawConfig> options = {
      .program = "phasor-gateway",
      .description = "takes requests over gRPC, queues them, tells what becomes of them.",
      .version = PHASOR_VERSION,
      .declare = Declare,
      .read_more = ReadLimits};
  ASSIGN_OR_RETURN(auto raw, config::ReadProgramOptions(options, argc, argv));
  *exit_early = !raw.has_value();
  if (*exit_early) return GatewayConfig{};
  return Complete(*std::move(raw));
}

}  // namespace phasor::gateway
