// What phasor-worker is told at its start: flags before PHASOR_* environment variables before the
// YAML file before the defaults here. Plain values; read once, in main.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/config/shared_settings.h"
#include "common/log/log.h"
#include "common/rpc/client_tls.h"
#include "common/trace/otlp/trace_config.h"
#include "engine/api/compute_options.h"

namespace phasor::worker {

struct WorkerConfig {
  std::string redis = "redis://127.0.0.1:6379";  // or unix:///path/to/socket
  tls::PeerFiles redis_files;
  LoginFiles store_files;
  bool allow_job_loss = false;  // of a Redis that evicts keys or has no append-only file
  std::string store = "phasor-data/store";  // folder or URL, as OpenStore takes it
  std::string models = "models";            // a model's directory, or a folder of them
  std::vector<std::string> gateways;        // whom to report to; empty: nobody
  rpc::ClientTlsWords tls;                  // of the way there
  std::string credential_file;              // with the key that reports carry; empty: none
  std::string name;                         // default: host name, process id, random
  std::string node;                         // default: the host name
  int threads = 0;                          // of the engine, 0: all cores
  Millis lease{15'000};
  Millis grace{25'000};                 // after SIGTERM, for the job in hand
  std::string metrics = "127.0.0.1:0";  // of /metrics and /readyz; "off": none
  tls::Files metrics_tls;               // of that port; none: plain HTTP
  double checkpoint_share = 0.01;       // of a run's time that checkpoints may cost
  int max_models_resident = 2;
  uint64_t max_model_bytes = 0;     // of the weights of models in memory; 0: whatever they are
  int group = 4;                    // jobs of a group at most; 1: each job alone
  Millis group_wait{7'500};         // that a group makes anybody wait at most
  bool load_alone = false;          // idle models leave the device before another one is loaded
  uint64_t result_cache_bytes = 0;  // of pictures kept for equal requests; 0: none is
  uint64_t embedding_cache_bytes = 16 << 20;  // of texts' embeddings, of each model; 0: none
  std::string debug_dir;                      // folder for a record of each failed job; empty: none
  bool debug_prompts = false;                 // with its prompts
  int debug_records = 100;                    // kept
  std::string cache;                          // folder for digests of weight files; empty: none
  std::string preload;                        // default: the first model
  std::string engine;  // "real" or "fake"; default: real where it is built in
  // Of the real engine, as its EngineOptions take them.
  std::string device = "cpu";
  uint64_t vram_bytes = 0;
  std::string dtype = "auto";
  engine::ComputeOptions compute;
  std::string strategy = "AUTO";
  int fail_one_in = 0;
  Millis fake_step{20};  // what a step of the fake engine takes
  Millis fake_load{0};   // what each part of a model takes to load in the fake engine
  Millis fake_swap{0};   // what its phases take to bring their weights; 0: all stay
  // What every unit of work is granted before the queue stops believing in it; after twice that,
  // and after twice what a longer unit was granted, the process ends.
  Millis stall{20'000};
  Millis cool_down{30'000};        // after several jobs in a row failed here
  double max_memory_percent = 95;  // of the host's memory, no job is taken above; 100: whatever
  trace::TraceConfig traces;
  log::LogConfig log;
};

// INVALID_ARGUMENT names the flag, variable or key. `*exit_early` is set when help or version was
// printed and there is nothing to run.
StatusOr<WorkerConfig> ReadWorkerConfig(int argc, const char* const* argv, bool* exit_early);

// Declares each setting of the program, with its default, to a list of them.
void ListWorkerSettings(config::Settings& list);

}  // namespace phasor::worker
