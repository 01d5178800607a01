// phasor-gateway: takes requests, queues them, tells clients what becomes of their jobs.
#include <csignal>
#include <cstring>
#include <iostream>

#include "common/base/process.h"
#include "common/config/model_folder.h"
#include "common/log/log.h"
#include "common/metrics/operations.h"
#include "common/queue/redis/redis_foundation.h"
#include "common/queue/redis/redis_queue.h"
#include "common/redis/open_redis.h"
#include "common/storage/open_store.h"
#include "services/gateway/credentials.h"
#include "services/gateway/gateway.h"
#include "services/gateway/secret.h"

namespace phasor::gateway {
namespace {

Status Serve(const GatewayConfig& config) {
  const sigset_t signals = BlockTerminationSignals();
  const SystemClock clock;
  metrics::Registry metrics;
  ASSIGN_OR_RETURN(auto models,
                   config::ReadModelFolder(config.models, config::ModelFiles::kElsewhere));
  for (const std::string& reason : models.left_out) {
    log::Warn("model left out", {{"reason", reason}});
  }
  ASSIGN_OR_RETURN(const std::string secret, ReadOrMakeSecret(config.secret_file));
  ASSIGN_OR_RETURN(const auto redis, redis::OpenRedis(config.redis, config.redis_files, &clock));
  ASSIGN_OR_RETURN(auto store, storage::AwaitStore(config.store, {config.store_files, &redis}));
  queue::RedisQueue queue(redis);
  queue::RedisFoundation foundation(redis, [&queue] { return queue.connections(); });
  ASSIGN_OR_RETURN(const auto credentials, OpenCredentials(config, redis, &clock));
  const auto spans = trace::OpenSpans(config.traces, metrics);
  ASSIGN_OR_RETURN(const auto gateway, Gateway::Start(config, secret, std::move(models),
                                                      {.producer = &queue,
                                                       .maintenance = &queue,
                                                       .control = &queue,
                                                       .events = &queue,
                                                       .store = store.get(),
                                                       .clock = &clock,
                                                       .metrics = &metrics,
                                                       .foundation = &foundation,
                                                       .keys = credentials.keys.get(),
                                                       .tokens = credentials.tokens.get(),
                                                       .spans = spans.get()}));
  const auto ready = [&] { return gateway->ready(); };
  ASSIGN_OR_RETURN(const auto admin, metrics::OpenOperations(config, &metrics, ready, &clock));
  log::Info("serving", {{"address", gateway->address()}, {"metrics", config.metrics}});
  const timespec moment{.tv_sec = 0, .tv_nsec = 200'000'000};
  int signal = -1;
  while (signal < 0 && gateway->refused().ok()) signal = sigtimedwait(&signals, nullptr, &moment);
  log::Info("shutting down", {{"why", signal > 0 ? strsignal(signal) : "refused"}});
  gateway->Shutdown();
  return gateway->refused();
}

int Main(int argc, const char* const* argv) {
  bool exit_early = false;
  const auto config = ReadGatewayConfig(argc, argv, &exit_early);
  if (!config.ok()) {
    std::cerr << "phasor-gateway: " << config.status().message() << "\n";
    return 2;
  }
  if (exit_early) return 0;
  log::Configure(config->log);
  if (const Status status = Serve(*config); !status.ok()) {
    std::cerr << "phasor-gateway: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace phasor::gateway

int main(int argc, char** argv) { return phasor::gateway::Main(argc, argv); }
