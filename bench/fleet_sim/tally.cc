#include "bench/fleet_sim/tally.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

namespace phasor::bench {
namespace {

constexpr std::array<const char*, kSamples> kNames = {
    "submit", "take", "next_take", "empty_take", "renew", "publish", "reach", "work"};

nlohmann::json Summary(std::vector<double> seconds) {
  nlohmann::json summary = {{"count", seconds.size()}};
  if (seconds.empty()) return summary;
  std::sort(seconds.begin(), seconds.end());
  const auto percentile = [&](double p) {
    return 1000 * seconds[static_cast<size_t>(p * static_cast<double>(seconds.size() - 1))];
  };
  summary["sum_s"] = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  summary["p50_ms"] = percentile(0.5);
  summary["p99_ms"] = percentile(0.99);
  summary["max_ms"] = percentile(1);
  return summary;
}

}  // namespace

void Tally::Add(Sample kind, double seconds) {
  MutexLock lock(&mu_);
  seconds_[static_cast<size_t>(kind)].push_back(seconds);
}

void Tally::AddTrouble(const std::string& what) {
  MutexLock lock(&mu_);
  ++trouble_[what];
}

void Tally::Reset() {
  MutexLock lock(&mu_);
  begin_ = std::chrono::steady_clock::now();
  for (auto& seconds : seconds_) seconds.clear();
  trouble_.clear();
}

std::string Tally::Json() {
  nlohmann::json report;
  std::array<std::vector<double>, kSamples> seconds;
  {
    MutexLock lock(&mu_);
    report["seconds"] = SecondsBetween(begin_, std::chrono::steady_clock::now());
    report["trouble"] = trouble_;
    seconds = seconds_;
  }
  for (size_t n = 0; n < kSamples; ++n) report[kNames[n]] = Summary(std::move(seconds[n]));
  return report.dump();
}

}  // namespace phasor::bench
