#include "engine/fake/fault_directive.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace phasor::engine {
namespace {

constexpr std::string_view kPrefix = "fault:";
constexpr std::string_view kStep = "step";
constexpr std::string_view kSpace = " \t\r\n";
constexpr int kMostTimes = 1'000'000;

constexpr std::array<std::pair<std::string_view, FaultKind>, 5> kKinds = {
    {{"crash", FaultKind::kCrash},
     {"hang", FaultKind::kHang},
     {"oom", FaultKind::kOutOfMemory},
     {"device-lost", FaultKind::kDeviceLost},
     {"internal", FaultKind::kInternal}}};

std::optional<int> ParseNumber(std::string_view text, int least) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || number < least || number > kMostTimes) {
    return std::nullopt;
  }
  return number;
}

bool ParseUnit(std::string_view text, FaultDirective* directive) {
  if (text == "encode" || text == "decode") {
    directive->unit = text == "encode" ? UnitKind::kEncode : UnitKind::kDecode;
    return true;
  }
  if (text.substr(0, kStep.size()) != kStep) return false;
  const std::optional<int> step = ParseNumber(text.substr(kStep.size()), 0);
  directive->unit = UnitKind::kStep;
  directive->step = step.value_or(0);
  return step.has_value();
}

// "oom@step3x1", what follows the prefix.
std::optional<FaultDirective> ParseOne(std::string_view text) {
  const size_t at = text.find('@');
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view what = text.substr(0, at);
  std::string_view unit = text.substr(at + 1);
  FaultDirective directive;
  if (const size_t x = unit.rfind('x'); x != std::string_view::npos) {
    const std::optional<int> times = ParseNumber(unit.substr(x + 1), 1);
    if (!times) return std::nullopt;
    directive.times = *times;
    unit = unit.substr(0, x);
  }
  if (!ParseUnit(unit, &directive)) return std::nullopt;
  for (const auto& [name, kind] : kKinds) {
    if (name != what) continue;
    directive.kind = kind;
    return directive;
  }
  return std::nullopt;
}

}  // namespace

StatusOr<std::vector<FaultDirective>> ParseFaultDirectives(std::string_view prompt) {
  std::vector<FaultDirective> directives;
  size_t begin = 0;
  while ((begin = prompt.find_first_not_of(kSpace, begin)) != std::string_view::npos) {
    const size_t end = std::min(prompt.find_first_of(kSpace, begin), prompt.size());
    const std::string_view word = prompt.substr(begin, end - begin);
    begin = end;
    if (word.substr(0, kPrefix.size()) != kPrefix) continue;
    const auto directive = ParseOne(word.substr(kPrefix.size()));
    if (!directive) {
      return InvalidArgument("prompt: '" + std::string(word) +
                             "' is no fault; write fault:<crash|hang|oom|device-lost|internal>@"
                             "<encode|stepN|decode>[x<times>]");
    }
    directives.push_back(*directive);
  }
  return directives;
}

bool Matches(const FaultDirective& directive, const Unit& unit) {
  if (directive.unit != unit.kind) return false;
  return unit.kind != UnitKind::kStep || directive.step == unit.index;
}

}  // namespace phasor::engine
