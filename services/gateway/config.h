// What phasor-gateway is told at its start: flags before PHASOR_* environment variables before the
// YAML file before the defaults here. Plain values; read once, in main.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/access/claims.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/shared_settings.h"
#include "common/log/log.h"
#include "common/queue/types.h"
#include "common/storage/sweep.h"
#include "common/tls/material.h"
#include "common/trace/otlp/trace_config.h"
#include "services/gateway/listeners.h"

namespace phasor::gateway {

struct GatewayConfig {
  std::string listen = "127.0.0.1:50051";  // or unix:/path
  std::string listen_admin;                // for operators; empty: where clients are
  std::string listen_workers;              // likewise
  // Certificate, its key, and who vouches for those of clients. Without a certificate: plain text.
  tls::Files tls;
  // Names of the audiences who must show a certificate where authorities are given.
  std::vector<std::string> certificates_of = {"clients", "operators", "workers"};
  bool insecure = false;                         // other machines are served, whoever calls
  std::string metrics = "127.0.0.1:9464";        // of /metrics, /healthz and /readyz; "off": none
  tls::Files metrics_tls;                        // of that port; none: plain HTTP
  std::string redis = "redis://127.0.0.1:6379";  // or unix:///path/to/socket
  tls::PeerFiles redis_files;
  LoginFiles store_files;
  bool allow_job_loss = false;  // of a Redis that evicts keys or has no append-only file
  std::string store = "phasor-data/store";  // folder or URL, as OpenStore takes it
  std::string models = "models";            // a model's directory, or a folder of them
  // Makes job ids from idempotency keys: all gateways of a fleet share it. Made with random
  // content if there is no such file.
  std::string secret_file = "phasor-data/secret";
  // Where API keys are: "off", "redis" or a file. With keys every call needs one
  // (docs/security.md).
  std::string keys = "off";
  std::optional<access::TokenRules> tokens;  // absent: none is taken
  // Where refusals and operators' calls are written down: "stderr", "off" or a file.
  std::string audit = "stderr";
  std::string name;             // told to workers and in Stats; default: host name and process id
  int work_threads = 32;        // for calls that wait for Redis or the store
  int work_queue = 4096;        // calls that may wait for a thread
  Millis shutdown_grace{5000};  // after SIGTERM, for calls in progress
  std::optional<queue::QueueLimits> limits;  // absent: what the queue has stays; so do its quotas
  std::optional<int64_t> pixel_steps_per_tenant;  // default quotas; absent: likewise
  std::optional<int64_t> prompt_bytes_per_tenant;
  std::optional<int64_t> result_bytes_per_tenant;
  // What goes from the store: leftovers without a job, results, records. Zero of the latter two:
  // kept for ever.
  storage::SweepPolicy sweep;
  Millis sweep_every = std::chrono::hours(1);
  trace::TraceConfig traces;
  log::LogConfig log;
};

// What comes of the addresses. Errors as of PlanListeners.
StatusOr<std::vector<Listener>> ListenersOf(const GatewayConfig& config);

// What a queue's limits become when this gateway comes up, given those that stand.
queue::QueueLimits LimitsOf(const GatewayConfig& config, const queue::QueueLimits& standing);

// INVALID_ARGUMENT names the flag, variable or key. `*exit_early` is set when help or version was
// printed and there is nothing to run.
StatusOr<GatewayConfig> ReadGatewayConfig(int argc, const char* const* argv, bool* exit_early);

// Declares each setting of the program, with its default, to a list of them.
void ListGatewaySettings(config::Settings& list);

}  // namespace phasor::gateway
