#include "engine/memory/strategy.h"

#include <algorithm>
#include <iterator>

namespace phasor::engine {
std::string_view ToString(Strategy strategy) {
  switch (strategy) {
    case Strategy::kFull:
      return "FP16_FULL";
    case Strategy::kCpuOffload:
      return "CPU_OFFLOAD";
    case Strategy::kBlockStream:
      return "BLOCK_STREAM";
    case Strategy::kSequentialOffload:
      return "SEQUENTIAL_OFFLOAD";
  }
  return "unknown";
}

std::optional<Strategy> LeanerThan(Strategy strategy) {
  const auto* const at = std::find(std::begin(kStrategies), std::end(kStrategies), strategy);
  if (at == std::end(kStrategies) || at + 1 == std::end(kStrategies)) return std::nullopt;
  return at[1];
}

namespace {

struct FormName {
  WeightForm form;
  std::string_view name;
};
constexpr FormName kForms[] = {{WeightForm::kFp8, "FP8_OPTIMIZED"},
                               {WeightForm::kNf4, "NF4_QUANTIZED"}};

std::optional<Strategy> StrategyOf(std::string_view name) {
  for (const Strategy strategy : kStrategies) {
    if (name == ToString(strategy)) return strategy;
  }
  return std::nullopt;
}

Status UnknownStrategy(const std::string& name) {
  std::string known = "AUTO";
  for (const Strategy strategy : kStrategies) known.append(", ").append(ToString(strategy));
  for (const FormName& form : kForms) known.append(", ").append(form.name);
  return InvalidArgument("must be one of " + known + ", got " + name);
}

}  // namespace

std::string NameOf(Strategy strategy, WeightForm form) {
  for (const FormName& known : kForms) {
    if (known.form != form) continue;
    std::string name(known.name);
    return strategy == Strategy::kFull ? name : name.append("+").append(ToString(strategy));
  }
  return std::string(ToString(strategy));
}

std::string_view ApiName(std::string_view name) { return name.substr(0, name.find('+')); }

StatusOr<StrategyChoice> ParseStrategy(const std::string& name) {
  if (name == "AUTO") return StrategyChoice{};
  for (const FormName& form : kForms) {
    if (ApiName(name) != form.name) continue;
    StrategyChoice choice{.strategy = std::nullopt, .form = form.form};
    if (name == form.name) return choice;
    choice.strategy = StrategyOf(std::string_view(name).substr(form.name.size() + 1));
    if (choice.strategy) return choice;
  }
  if (const std::optional<Strategy> strategy = StrategyOf(name)) {
    return StrategyChoice{.strategy = strategy, .form = WeightForm::kPlain};
  }
  return UnknownStrategy(name);
}

}  // namespace phasor::engine
