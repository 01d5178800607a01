#include "engine/weights/config_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/file.h"

namespace phasor::engine {
namespace {

constexpr size_t kMaxConfigBytes = 1 << 20;
constexpr size_t kMaxListLength = 4096;

const nlohmann::json kNull;

// For messages: never the whole of a hostile value.
std::string Shorten(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

}  // namespace

ConfigReader::ConfigReader(std::string file, nlohmann::json config)
    : file_(std::move(file)), config_(std::move(config)) {
  if (!config_.is_object()) status_ = InvalidArgument(file_ + ": not a JSON object");
}

StatusOr<ConfigReader> ConfigReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxConfigBytes));
  ConfigReader reader(path, nlohmann::json::parse(text, nullptr, false));
  RETURN_IF_ERROR(reader.status());
  return reader;
}

const nlohmann::json& ConfigReader::Raw(const std::string& key) {
  known_.insert(key);
  if (!config_.is_object()) return kNull;
  const auto found = config_.find(key);
  return found == config_.end() ? kNull : *found;
}

bool ConfigReader::Has(const std::string& key) const {
  return config_.is_object() && config_.contains(key);
}

bool ConfigReader::Bool(const std::string& key, bool absent) {
  const nlohmann::json& value = Raw(key);
  return Has(key) ? ToBool(key, value) : absent;
}

int64_t ConfigReader::Int(const std::string& key, int64_t absent, IntRange range) {
  const nlohmann::json& value = Raw(key);
  return value.is_null() ? absent : ToInt(key, value, range);
}

double ConfigReader::Double(const std::string& key, double absent) {
  return OptionalDouble(key).value_or(absent);
}

std::string ConfigReader::String(const std::string& key, const std::string& absent) {
  return OptionalString(key).value_or(absent);
}

std::optional<int64_t> ConfigReader::OptionalInt(const std::string& key, IntRange range) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return std::nullopt;
  return ToInt(key, value, range);
}

std::optional<double> ConfigReader::OptionalDouble(const std::string& key) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return std::nullopt;
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    Fail(key, "is " + Shorten(value) + ", not a finite number");
    return std::nullopt;
  }
  return value.get<double>();
}

std::optional<std::string> ConfigReader::OptionalString(const std::string& key) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return std::nullopt;
  if (!value.is_string()) {
    Fail(key, "is " + Shorten(value) + ", not a string");
    return std::nullopt;
  }
  return value.get<std::string>();
}

std::vector<std::string> ConfigReader::Strings(const std::string& key,
                                               std::vector<std::string> absent) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return absent;
  const auto is_string = [](const nlohmann::json& item) { return item.is_string(); };
  if (!value.is_array() || value.size() > kMaxListLength ||
      !std::all_of(value.begin(), value.end(), is_string)) {
    Fail(key, "is " + Shorten(value) + ", not a list of strings");
    return absent;
  }
  return value.get<std::vector<std::string>>();
}

std::vector<int64_t> ConfigReader::Ints(const std::string& key, std::vector<int64_t> absent,
                                        IntRange range) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return absent;
  if (!value.is_array() || value.empty() || value.size() > kMaxListLength) {
    Fail(key, "is " + Shorten(value) + ", not a list of integers");
    return absent;
  }
  std::vector<int64_t> numbers;
  for (const nlohmann::json& item : value) numbers.push_back(ToInt(key, item, range));
  return numbers;
}

std::vector<double> ConfigReader::Doubles(const std::string& key) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null()) return {};
  std::vector<double> numbers;
  if (value.is_array() && value.size() <= kMaxListLength) {
    for (const nlohmann::json& item : value) {
      if (item.is_number() && std::isfinite(item.get<double>())) {
        numbers.push_back(item.get<double>());
      }
    }
  }
  if (!value.is_array() || numbers.size() != value.size()) {
    Fail(key, "is " + Shorten(value) + ", not a list of finite numbers");
  }
  return numbers;
}

std::vector<int64_t> ConfigReader::PerLevel(const std::string& key, int64_t absent, size_t levels,
                                            IntRange range) {
  const nlohmann::json& value = Raw(key);
  if (!value.is_array()) return std::vector<int64_t>(levels, Int(key, absent, range));
  if (!CheckLength(key, value.size(), levels)) return std::vector<int64_t>(levels, absent);
  return Ints(key, {}, range);
}

std::vector<bool> ConfigReader::BoolPerLevel(const std::string& key, bool absent, size_t levels) {
  const nlohmann::json& value = Raw(key);
  if (!value.is_array()) return std::vector<bool>(levels, Bool(key, absent));
  if (!CheckLength(key, value.size(), levels)) return std::vector<bool>(levels, absent);
  std::vector<bool> flags;
  for (const nlohmann::json& item : value) flags.push_back(ToBool(key, item));
  return flags;
}

void ConfigReader::RequireOneOf(const std::string& key,
                                std::initializer_list<nlohmann::json> allowed) {
  const nlohmann::json& value = Raw(key);
  if (value.is_null() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
  Fail(key, "is " + Shorten(value) + ", which this engine does not run");
}

void ConfigReader::Refuse(const std::string& key, const std::string& reason) { Fail(key, reason); }

std::vector<std::string> ConfigReader::UnknownKeys() const {
  std::vector<std::string> unknown;
  if (!config_.is_object()) return unknown;
  for (const auto& [key, _] : config_.items()) {
    if (!key.starts_with("_") && !known_.contains(key)) unknown.push_back(key);
  }
  return unknown;
}

void ConfigReader::Fail(const std::string& key, const std::string& reason) {
  if (status_.ok()) status_ = InvalidArgument(file_ + ": " + key + " " + reason);
}

int64_t ConfigReader::ToInt(const std::string& key, const nlohmann::json& value, IntRange range) {
  double number = std::nan("");
  if (value.is_number()) number = value.get<double>();
  if (number != std::floor(number) || std::isnan(number)) {
    Fail(key, "is " + Shorten(value) + ", not an integer");
    return range.low;
  }
  // The bounds in use are far below 2^53, where doubles are exact.
  if (number < static_cast<double>(range.low) || number > static_cast<double>(range.high)) {
    Fail(key, "is " + Shorten(value) + "; it must lie in " + std::to_string(range.low) + " to " +
                  std::to_string(range.high));
    return range.low;
  }
  return static_cast<int64_t>(number);
}

bool ConfigReader::ToBool(const std::string& key, const nlohmann::json& value) {
  if (value.is_null()) return false;
  if (!value.is_boolean()) {
    Fail(key, "is " + Shorten(value) + ", not true or false");
    return false;
  }
  return value.get<bool>();
}

bool ConfigReader::CheckLength(const std::string& key, size_t size, size_t levels) {
  if (size == levels) return true;
  Fail(key, "has " + std::to_string(size) + " entries where the model has " +
                std::to_string(levels) + " levels");
  return false;
}

}  // namespace phasor::engine
