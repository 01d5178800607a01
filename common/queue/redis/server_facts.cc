#include "common/queue/redis/server_facts.h"

#include <cstdlib>

namespace phasor::queue {
namespace {

constexpr int kOldest = 7;  // whose scripts may say that they run when memory is full

}  // namespace

std::string InfoField(const std::string& info, const std::string& name) {
  const std::string head = name + ":";
  size_t at = info.rfind(head, 0) == 0 ? 0 : info.find("\n" + head);
  if (at == std::string::npos) return "";
  if (at != 0) ++at;
  const size_t start = at + head.size();
  return info.substr(start, info.find_first_of("\r\n", start) - start);
}

StatusOr<Footing> JudgeServer(const std::string& info) {
  const std::string version = InfoField(info, "redis_version");
  if (std::atoi(version.c_str()) < kOldest) {
    return FailedPrecondition("Redis 7.0 or newer is needed, this is '" + version + "'");
  }
  if (InfoField(info, "loading") == "1") return Unavailable("Redis is still loading its data");
  if (InfoField(info, "role") == "slave") return Unavailable("this Redis is a read-only replica");
  Footing footing;
  // Another run, or another place among replicas (is_whole in forgotten.lua).
  footing.instance = InfoField(info, "run_id") + "/" + InfoField(info, "master_replid");
  const std::string policy = InfoField(info, "maxmemory_policy");
  if (InfoField(info, "maxmemory") != "0" && policy != "noeviction") {
    footing.job_loss = "this Redis evicts keys when its memory is full (maxmemory-policy " +
                       policy + ", not noeviction), and jobs with them";
  } else if (InfoField(info, "aof_enabled") != "1") {
    footing.job_loss =
        "this Redis keeps no append-only file (appendonly no), so that jobs end with its process";
  }
  return footing;
}

}  // namespace phasor::queue
