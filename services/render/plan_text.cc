#include "services/render/plan_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/byte_size.h"

namespace phasor::render {
namespace {

using engine::Placement;
using engine::PlannedPart;
using engine::PlannedPhase;
using engine::ResidencyPlan;

using Row = std::vector<std::string>;

// Columns as wide as their widest cell, the first one to the left, the rest to the right.
std::string Table(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string space(widths[i] - row[i].size(), ' ');
      text.append(i == 0 ? "" : "  ").append(i == 0 ? row[i] + space : space + row[i]);
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text.append("\n");
  }
  return text;
}

Row Heading(const std::string& first, const ResidencyPlan& plan) {
  Row row = {first};
  for (const PlannedPhase& phase : plan.phases) row.emplace_back(ToString(phase.phase));
  return row;
}

std::string PlacementText(const PlannedPart& part) {
  switch (part.placement) {
    case Placement::kResident:
      return ByteSizeText(part.bytes);
    case Placement::kStreamed:
      return "by layer";
    case Placement::kAhead:
      return part.bytes == 0 ? "ahead" : ByteSizeText(part.bytes) + ", ahead";
    case Placement::kOnHost:
      return "on the host";
    case Placement::kAbsent:
      return "-";
  }
  return "unknown";
}

// "SEQUENTIAL_OFFLOAD, guidance split"
std::string NameOf(const engine::RunPlan& plan) {
  std::string name = plan.residency.name();
  if (!plan.cuts.none()) name.append(", ").append(Describe(plan.cuts));
  return name;
}

double SecondsOf(const engine::ModelPlan& plan, size_t strategy) {
  return strategy < plan.seconds.size() ? plan.seconds[strategy] : 0;
}

bool KnowsTimes(const engine::ModelPlan& plan) {
  return std::any_of(plan.seconds.begin(), plan.seconds.end(), [](double s) { return s > 0; });
}

std::string TimeText(double seconds) {
  if (seconds <= 0) return "-";
  std::array<char, 32> text = {};
  const int digits = seconds < 10 ? 2 : seconds < 100 ? 1 : 0;
  std::snprintf(text.data(), text.size(), "%.*fs", digits, seconds);
  return text.data();
}

std::string Peaks(const engine::ModelPlan& plan) {
  std::vector<Row> rows = {Heading("predicted peak", plan.strategies.front())};
  const bool timed = KnowsTimes(plan);
  rows[0].emplace_back("run");
  if (timed) rows[0].emplace_back("time");
  rows[0].emplace_back("");
  const auto add = [&](const std::string& name, const ResidencyPlan& one, double seconds) {
    Row& row = rows.emplace_back(Row{name});
    for (const PlannedPhase& phase : one.phases) row.push_back(ByteSizeText(phase.peak_bytes));
    row.push_back(ByteSizeText(one.peak_bytes()));
    if (timed) row.push_back(TimeText(seconds));
    row.emplace_back(one.FitsIn(plan.budget) ? "fits" : "does not fit");
  };
  for (size_t i = 0; i < plan.strategies.size(); ++i) {
    add(plan.strategies[i].name(), plan.strategies[i], SecondsOf(plan, i));
  }
  if (!plan.chosen.cuts.none()) add(NameOf(plan.chosen), plan.chosen.residency, 0);
  return Table(rows);
}

std::string Placements(const ResidencyPlan& plan) {
  std::vector<Row> rows = {Heading(plan.name(), plan)};
  for (size_t i = 0; i < plan.phases.front().parts.size(); ++i) {
    Row& row = rows.emplace_back(Row{plan.phases.front().parts[i].name});
    for (const PlannedPhase& phase : plan.phases) row.push_back(PlacementText(phase.parts[i]));
  }
  return Table(rows);
}

std::string Square(int side) {
  if (side == 0) return "none";
  return std::to_string(side) + "x" + std::to_string(side);
}

std::string LargestText(const engine::LargestSquares& largest) {
  std::string text = "The largest square picture that fits: " + Square(largest.whole);
  if (largest.in_pieces != largest.whole) {
    text.append(", in pieces ").append(Square(largest.in_pieces));
  }
  return text.append(".\n");
}

}  // namespace

std::string PlanText(const engine::ModelPlan& plan, const std::string& shown,
                     const engine::LargestSquares& largest) {
  const engine::MemoryBudget& budget = plan.budget;
  std::string text = budget.capacity == 0
                         ? std::string("The device has no bound of its own.")
                         : "The device has " + ByteSizeText(budget.capacity) + ", of which " +
                               ByteSizeText(budget.reserved) + " are taken" +
                               (budget.fragmented == 0 ? "."
                                                       : ", " + ByteSizeText(budget.fragmented) +
                                                             " of it free only in pieces.");
  text.append(" AUTO takes ").append(NameOf(plan.chosen)).append(".\n\n").append(Peaks(plan));
  for (const ResidencyPlan& one : plan.strategies) {
    if (one.name() == shown) text.append("\n").append(Placements(one));
  }
  if (budget.capacity > 0) text.append("\n").append(LargestText(largest));
  return text;
}

std::string PlanJson(const engine::ModelPlan& plan, const ResidencyPlan& shown,
                     const PictureSpec& spec) {
  using Json = nlohmann::ordered_json;
  Json strategies = Json::array();
  for (size_t i = 0; i < plan.strategies.size(); ++i) {
    const ResidencyPlan& one = plan.strategies[i];
    Json phases = Json::object();
    for (const PlannedPhase& phase : one.phases) {
      Json parts = Json::object();
      for (const PlannedPart& part : phase.parts) parts[part.name] = PlacementText(part);
      phases[std::string(ToString(phase.phase))] = {{"peak_bytes", phase.peak_bytes},
                                                    {"parts", parts}};
    }
    strategies.push_back({{"strategy", one.name()},
                          {"peak_bytes", one.peak_bytes()},
                          {"fits", one.FitsIn(plan.budget)},
                          {"seconds", SecondsOf(plan, i)},
                          {"phases", phases}});
  }
  return Json({{"width", spec.width},
               {"height", spec.height},
               {"device_bytes", plan.budget.capacity},
               {"taken_bytes", plan.budget.reserved},
               {"fragmented_bytes", plan.budget.fragmented},
               {"strategy", shown.name()},
               {"peak_bytes", shown.peak_bytes()},
               {"cuts", Describe(plan.chosen.cuts)},
               {"strategies", strategies}})
             .dump() +
         "\n";
}

}  // namespace phasor::render
