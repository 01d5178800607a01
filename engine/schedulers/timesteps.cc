#include "engine/schedulers/timesteps.h"

#include <algorithm>
#include <cmath>

namespace phasor::engine {
namespace {

constexpr int64_t kMaxOffset = 100000;

// i * ratio + offset for i = count-1 .. 0, leaving out the last `skipped` of them.
std::vector<double> Leading(int64_t ratio, int64_t offset, int64_t count, int64_t skipped) {
  std::vector<double> timesteps;
  for (int64_t i = count - 1; i >= skipped; --i) {
    timesteps.push_back(static_cast<double>(i * ratio + offset));
  }
  return timesteps;
}

// numpy.arange(last, 0, -step), which adds a rounded difference instead of the step itself.
std::vector<double> Trailing(int64_t last, double step, int steps) {
  const double start = static_cast<double>(last);
  const double delta = (start - step) - start;
  const auto length = static_cast<int64_t>(std::ceil(start / step));
  std::vector<double> timesteps;
  for (int64_t i = 0; i < std::min<int64_t>(length, steps); ++i) {
    timesteps.push_back(std::nearbyint(start + static_cast<double>(i) * delta) - 1);
  }
  return timesteps;
}

void Round(std::vector<double>& values) {
  for (double& value : values) value = std::nearbyint(value);
}

std::vector<double> Spaced(const SpacingConfig& config, int steps, bool round) {
  const int64_t total = config.train_steps;
  if (config.spacing == "leading") return Leading(total / steps, config.offset, steps, 0);
  if (config.spacing == "trailing") {
    return Trailing(total, static_cast<double>(total) / steps, steps);
  }
  std::vector<double> timesteps = Linspace(0, static_cast<double>(total - 1), steps);
  std::reverse(timesteps.begin(), timesteps.end());
  if (round) Round(timesteps);
  return timesteps;
}

}  // namespace

SpacingConfig ReadSpacingConfig(SchedulerKeys& keys, int64_t train_steps,
                                const std::string& default_spacing) {
  SpacingConfig config;
  config.train_steps = train_steps;
  config.spacing =
      keys.Choice("timestep_spacing", default_spacing, {"linspace", "leading", "trailing"});
  config.offset = keys.Integer("steps_offset", 0, {0, kMaxOffset});
  return config;
}

Status CheckSteps(int steps, int64_t train_steps) {
  if (steps >= 1 && steps <= train_steps) return OkStatus();
  return InvalidArgument("steps must be from 1 to " + std::to_string(train_steps) +
                         " (the scheduler's num_train_timesteps), not " + std::to_string(steps));
}

std::vector<double> Linspace(double start, double stop, int64_t count) {
  if (count == 1) return {start};
  std::vector<double> values(static_cast<size_t>(count));
  const double step = (stop - start) / static_cast<double>(count - 1);
  for (int64_t i = 0; i < count; ++i) {
    values[static_cast<size_t>(i)] = static_cast<double>(i) * step + start;
  }
  values.back() = stop;
  return values;
}

std::vector<double> RoundedTimesteps(const SpacingConfig& config, int steps) {
  return Spaced(config, steps, /*round=*/true);
}

std::vector<double> FractionalTimesteps(const SpacingConfig& config, int steps) {
  std::vector<double> timesteps = Spaced(config, steps, /*round=*/false);
  for (double& t : timesteps) t = static_cast<float>(t);
  return timesteps;
}

std::vector<double> SolverTimesteps(const SpacingConfig& config, int steps, int64_t last) {
  if (config.spacing == "leading") return Leading(last / (steps + 1), config.offset, steps + 1, 1);
  if (config.spacing == "trailing") {
    return Trailing(last, static_cast<double>(config.train_steps) / steps, steps);
  }
  std::vector<double> timesteps = Linspace(0, static_cast<double>(last - 1), steps + 1);
  Round(timesteps);
  std::reverse(timesteps.begin(), timesteps.end());
  timesteps.pop_back();
  return timesteps;
}

}  // namespace phasor::engine
