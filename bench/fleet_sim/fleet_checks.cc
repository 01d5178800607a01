#include "bench/fleet_sim/fleet_checks.h"

#include <chrono>
#include <string>

#include "bench/fleet_sim/wait.h"

namespace phasor::bench {
namespace {

constexpr Millis kSpread{15'000};
constexpr Millis kTick{1'000};  // as FleetGate

}  // namespace

FleetChecks::FleetChecks(const std::vector<queue::Foundation*>& foundations, int threads,
                         Tally& tally)
    : tally_(tally) {
  const SteadyTime now = clock_.Steady();
  for (size_t n = 0; n < foundations.size(); ++n) {
    queue::FleetCheck::Parts parts;
    parts.foundation = foundations[n];
    parts.clock = &clock_;
    // The store is not Redis's business.
    parts.identify_store = [](const std::string& remembered) -> StatusOr<std::string> {
      return remembered.empty() ? std::string("simulated") : remembered;
    };
    const auto wait = kSpread * static_cast<int64_t>(n) / static_cast<int64_t>(foundations.size());
    checks_.push_back({std::make_unique<queue::FleetCheck>(std::move(parts)), now + wait});
  }
  for (int n = 0; n < threads; ++n) {
    threads_.emplace_back(
        [this, n, threads](const std::stop_token& stop) { Run(stop, n, threads); });
  }
}

void FleetChecks::Run(const std::stop_token& stop, int thread, int threads) {
  while (!stop.stop_requested()) {
    const SteadyTime next = clock_.Steady() + kTick;
    for (size_t n = static_cast<size_t>(thread); n < checks_.size() && !stop.stop_requested();
         n += static_cast<size_t>(threads)) {
      if (clock_.Steady() < checks_[n].first) continue;
      if (!checks_[n].check->Look().ok()) tally_.AddTrouble("a check of the fleet failed");
    }
    SleepUntil(stop, next);
  }
}

}  // namespace phasor::bench
