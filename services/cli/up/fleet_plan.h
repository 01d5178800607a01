// Which processes a fleet on one machine has and how each is started: a private redis-server on a
// unix socket, gateways, workers that share the cores and report to all gateways. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/compute_options.h"

namespace phasor::cli {

struct UpOptions {
  std::string directory = {};  // of the fleet: sockets, queue, results, logs
  int workers = 1;
  int gateways = 1;
  std::string models = "models";
  std::string listen = "127.0.0.1:50051";  // of the first gateway
  std::string metrics = "off";             // likewise
  std::string engine = {};                 // "real", "fake" or empty: the worker's default
  int fake_step_ms = -1;                   // of the fake engine; negative: the worker's default
  // Of the workers' real engines, as phasor-worker takes them; empty: its defaults.
  std::string preset = {};
  std::string device = {};
  std::string vram = {};
  std::string dtype = {};
  engine::ComputeOptions compute = {};
  std::string strategy = {};
  bool secure = false;    // both keys and tls
  bool tls = false;       // certificates are made (fleet_certificates.h)
  bool insecure = false;  // other machines may call without a key
  bool keys = false;      // only who has a key may call (fleet_keys.h)
  double lease = 15;      // seconds
  double grace = 25;      // seconds for the job in hand when the fleet stops
};

// Programs that the plan needs, with their paths.
struct Programs {
  std::string redis_server;
  std::string gateway;
  std::string worker;
};

struct ProcessPlan {
  std::string name;  // "redis", "gateway", "gateway-2", "worker-1"
  int stage = 0;     // started upwards, stopped downwards
  Millis stop_grace{5'000};
  std::vector<std::string> argv;
};

inline constexpr int kRedisStage = 0;
inline constexpr int kGatewayStage = 1;
inline constexpr int kWorkerStage = 2;

std::string RedisSocket(const UpOptions& options);

// `count` addresses that follow on `first`: unix:/d/g.sock, unix:/d/g-2.sock ... or host:50051,
// host:50052 ... INVALID_ARGUMENT: a port beyond the last, or port 0 for several.
StatusOr<std::vector<std::string>> ConsecutiveAddresses(const std::string& first, int count);
std::string LogFile(const UpOptions& options, const std::string& process);

// INVALID_ARGUMENT names the flag: a device, a size of memory or a strategy that no worker would
// take. So `phasor up` says it, and not a log that nobody reads.
Status CheckDevice(const UpOptions& options);

// INVALID_ARGUMENT: a socket's path that is too long for the system, no workers, no gateways.
StatusOr<std::vector<ProcessPlan>> PlanFleet(const UpOptions& options, const Programs& programs,
                                             int cores);

}  // namespace phasor::cli
