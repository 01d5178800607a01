#include "services/gateway/upkeep/roles.h"

#include <utility>

namespace phasor::gateway {
namespace {

constexpr Millis kTick{1000};

StoreKeeper::Config WithFirst(StoreKeeper::Config config, uint32_t seed) {
  std::minstd_rand random(seed);
  random.discard(1);
  config.first = std::uniform_real_distribution<double>()(random);
  return config;
}

}  // namespace

Roles::Roles(const Parts& parts, const StoreKeeper::Config& keeper, uint32_t seed)
    : reaper_(parts.maintenance, parts.metrics),
      sealer_(parts.maintenance, parts.producer, parts.store, parts.clock),
      auditor_(parts.maintenance, parts.metrics),
      preempter_(parts.maintenance, parts.workers, parts.metrics),
      keeper_({parts.store, parts.producer, parts.clock, parts.metrics, parts.maintenance},
              WithFirst(keeper, seed)),
      seed_(seed) {}

std::vector<Roles::Loop> Roles::Own() {
  return {{"reaper", [this] { return reaper_.Tick(); }},
          {"sealer", [this] { return sealer_.Tick(); }},
          {"auditor", [this] { return auditor_.Tick(); }},
          {"preempter", [this] { return preempter_.Tick(); }},
          {"store keeper", [this] { return keeper_.Tick(); }}};
}

Status Roles::TickAll() {
  Status first_error;
  for (const Loop& loop : Own()) first_error.Update(loop.tick());
  return first_error;
}

void Roles::Start(std::vector<Loop> also) {
  std::vector<Loop> loops = Own();
  std::move(also.begin(), also.end(), std::back_inserter(loops));
  for (Loop& loop : loops) {
    threads_.push_back(
        std::make_unique<Periodic>(std::move(loop.name), kTick, ++seed_, std::move(loop.tick)));
  }
}

}  // namespace phasor::gateway
