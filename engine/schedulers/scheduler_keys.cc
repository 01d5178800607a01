#include "engine/schedulers/scheduler_keys.h"

#include <algorithm>
#include <limits>

namespace phasor::engine {
namespace {

std::string Text(NumberRange range) {
  return nlohmann::json(range.low).dump() + " to " + nlohmann::json(range.high).dump();
}

bool Inside(double number, NumberRange range) {
  return number >= range.low && number <= range.high;
}

}  // namespace

bool SchedulerKeys::Flag(const std::string& key, bool absent) {
  const bool flag = reader_.Bool(key, absent);
  effective_[key] = flag;
  return flag;
}

int64_t SchedulerKeys::Integer(const std::string& key, int64_t absent, IntRange range) {
  const int64_t number = reader_.Int(key, absent, range);
  effective_[key] = number;
  return number;
}

double SchedulerKeys::Checked(const std::string& key, double number, double absent,
                              NumberRange range) {
  if (!Inside(number, range)) {
    Refuse(key, "is " + nlohmann::json(number).dump() + "; it must lie in " + Text(range));
    number = absent;
  }
  effective_[key] = number;
  return number;
}

double SchedulerKeys::Number(const std::string& key, double absent, NumberRange range) {
  return Checked(key, reader_.Double(key, absent), absent, range);
}

std::optional<double> SchedulerKeys::OptionalNumber(const std::string& key, NumberRange range) {
  const std::optional<double> number = reader_.OptionalDouble(key);
  effective_[key] = nullptr;
  if (!number) return std::nullopt;
  return Checked(key, *number, range.low, range);
}

double SchedulerKeys::NumberOrInfinity(const std::string& key, double absent, NumberRange range) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const nlohmann::json& value = reader_.Raw(key);
  if (!value.is_null() && !value.is_string()) return Number(key, absent, range);
  const std::string text = value.is_string() ? value.get<std::string>()
                           : absent < 0      ? "-Infinity"
                                             : "Infinity";
  if (text != "Infinity" && text != "-Infinity") Refuse(key, "is not a number");
  effective_[key] = text;
  return text == "-Infinity" ? -kInfinity : kInfinity;
}

std::string SchedulerKeys::Choice(const std::string& key, const std::string& absent,
                                  std::initializer_list<std::string_view> allowed) {
  const std::string choice = reader_.String(key, absent);
  if (std::find(allowed.begin(), allowed.end(), choice) == allowed.end()) {
    std::string list;
    for (std::string_view name : allowed) list += (list.empty() ? "" : ", ") + std::string(name);
    Refuse(key, "is \"" + choice.substr(0, 60) + "\"; it must be one of " + list);
  }
  effective_[key] = choice;
  return choice;
}

std::vector<double> SchedulerKeys::Numbers(const std::string& key, size_t count,
                                           NumberRange range) {
  const nlohmann::json& value = reader_.Raw(key);
  effective_[key] = value;
  if (value.is_null()) return {};
  if (!value.is_array() || value.size() != count) {
    Refuse(key, "must be a list of " + std::to_string(count) + " numbers");
    return {};
  }
  std::vector<double> numbers;
  numbers.reserve(count);
  for (const nlohmann::json& entry : value) {
    if (!entry.is_number() || !Inside(entry.get<double>(), range)) {
      Refuse(key, "holds an entry that is not a number in " + Text(range));
      return {};
    }
    numbers.push_back(entry.get<double>());
  }
  return numbers;
}

void SchedulerKeys::Require(const std::string& key, const nlohmann::json& only) {
  reader_.RequireOneOf(key, {only});
}

}  // namespace phasor::engine
