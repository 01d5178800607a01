// phasor-worker: takes jobs from the queue, draws their pictures, publishes them.
#include <csignal>
#include <ctime>
#include <iostream>
#include <random>

#include "common/base/process.h"
#include "common/config/model_folder.h"
#include "common/log/log.h"
#include "common/queue/redis/redis_foundation.h"
#include "common/queue/redis/redis_queue.h"
#include "common/redis/open_redis.h"
#include "common/rpc/grpc_log.h"
#include "common/storage/open_store.h"
#include "engine/api/device_lost.h"
#include "services/worker/engine_choice.h"
#include "services/worker/exit_code.h"
#include "services/worker/fleet_gate.h"
#include "services/worker/take/host_memory.h"
#include "services/worker/worker.h"

namespace phasor::worker {
namespace {

double Draw() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

Status Serve(WorkerConfig config) {
  const sigset_t signals = BlockTerminationSignals();
  const SystemClock clock;
  ASSIGN_OR_RETURN(const engine::ChosenDevice device, SettleDevice(&config));
  ASSIGN_OR_RETURN(auto models, config::ReadModelFolder(config.models));
  for (const auto& reason : models.left_out) log::Warn("model left out", {{"reason", reason}});
  ASSIGN_OR_RETURN(const auto redis, redis::OpenRedis(config.redis, config.redis_files, &clock));
  ASSIGN_OR_RETURN(auto store, storage::AwaitStore(config.store, {config.store_files, &redis}));
  ASSIGN_OR_RETURN(const auto make_engine, ChooseEngine(config, clock));
  queue::RedisQueue queue(redis);
  queue::RedisFoundation foundation(redis, [&queue] { return queue.connections(); });
  FleetGate gate({&foundation, &queue, store.get(), &clock, config.allow_job_loss});
  RETURN_IF_ERROR(gate.Start());
  Worker worker(config, std::move(models.cards),
                {.queue = gate.queue(),
                 .store = gate.store(),
                 .clock = clock,
                 .make_engine = make_engine,
                 .draw = Draw,
                 .memory_percent = [] { return ReadHostMemoryPercent(); },
                 .end_process = EndProcessAtOnce,
                 .watch_gpu = [&device] { return WatchGpu(device); },
                 .fleet = [&gate] { return gate.ready(); }});
  RETURN_IF_ERROR(worker.Run([&] {
    const timespec moment{.tv_sec = 0, .tv_nsec = 100'000'000};
    return gate.TurnsAway() || sigtimedwait(&signals, nullptr, &moment) > 0;
  }));
  return gate.refused();
}

ExitCode Main(int argc, const char* const* argv) {
  bool exit_early = false;
  const auto config = ReadWorkerConfig(argc, argv, &exit_early);
  if (!config.ok()) {
    std::cerr << "phasor-worker: " << config.status().message() << "\n";
    return ExitCode::kUsage;
  }
  if (exit_early) return ExitCode::kOrderly;
  log::Configure(config->log);
  rpc::RouteGrpcLog();
  if (const Status status = Serve(*config); !status.ok()) {
    std::cerr << "phasor-worker: " << status.message() << "\n";
    return engine::IsDeviceLost(status) ? ExitCode::kDeviceLost : ExitCode::kStartError;
  }
  return ExitCode::kOrderly;
}

}  // namespace
}  // namespace phasor::worker

int main(int argc, char** argv) { return static_cast<int>(phasor::worker::Main(argc, argv)); }
