// What a gateway does beside answering calls: looks after the queue and the store. Each role is a
// class of its own that any number of gateways may run at once, for every move of the queue is made
// once; here they get their threads and their pace. Stops with the object.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "services/gateway/upkeep/auditor.h"
#include "services/gateway/upkeep/periodic.h"
#include "services/gateway/upkeep/preempter.h"
#include "services/gateway/upkeep/reaper.h"
#include "services/gateway/upkeep/sealer.h"
#include "services/gateway/upkeep/store_keeper.h"

namespace phasor::gateway {

class Roles {
 public:
  struct Parts {  // all outlive the roles
    queue::Producer* producer = nullptr;
    queue::Maintenance* maintenance = nullptr;
    storage::ResultStore* store = nullptr;
    WorkerRegistry* workers = nullptr;
    const Clock* clock = nullptr;
    metrics::Registry* metrics = nullptr;
  };
  // `seed`: of pauses and of the time of the first sweep; another one in each gateway.
  Roles(const Parts& parts, const StoreKeeper::Config& keeper, uint32_t seed);

  // Each role's step once, in order: what the threads do about every second. For tests.
  Status TickAll();

  // From now on the roles act by themselves, and `also` with them.
  struct Loop {
    std::string name;
    std::function<Status()> tick;
  };
  void Start(std::vector<Loop> also);
  // Waits for steps in progress. Idempotent.
  void Stop() { threads_.clear(); }

 private:
  std::vector<Loop> Own();

  Reaper reaper_;
  Sealer sealer_;
  Auditor auditor_;
  Preempter preempter_;
  StoreKeeper keeper_;
  uint32_t seed_;
  std::vector<std::unique_ptr<Periodic>> threads_;  // after what they use
};

}  // namespace phasor::gateway
