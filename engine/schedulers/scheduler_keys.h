// Reads a scheduler's keys out of a parsed scheduler_config.json, with diffusers' defaults, and
// records every value that was read: effective() is the canonical form of all that decides the
// numbers.
//
// The first error sticks (INVALID_ARGUMENT naming the key); a caller reads everything and then
// asks status() once. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "engine/weights/config_reader.h"

namespace phasor::engine {

struct NumberRange {
  double low = 0;
  double high = 0;  // inclusive
};

class SchedulerKeys {
 public:
  explicit SchedulerKeys(const nlohmann::json& config) : reader_("scheduler config", config) {}

  bool Flag(const std::string& key, bool absent);
  int64_t Integer(const std::string& key, int64_t absent, IntRange range);
  double Number(const std::string& key, double absent, NumberRange range);
  std::optional<double> OptionalNumber(const std::string& key, NumberRange range);
  // Also takes "Infinity" and "-Infinity", as ParseSchedulerConfig writes them.
  double NumberOrInfinity(const std::string& key, double absent, NumberRange range);
  std::string Choice(const std::string& key, const std::string& absent,
                     std::initializer_list<std::string_view> allowed);
  // Empty if absent or null, else `count` numbers inside the range.
  std::vector<double> Numbers(const std::string& key, size_t count, NumberRange range);

  // For keys of which only one value is supported.
  void Require(const std::string& key, const nlohmann::json& only);
  void Refuse(const std::string& key, const std::string& reason) { reader_.Refuse(key, reason); }

  const Status& status() const { return reader_.status(); }
  const nlohmann::json& effective() const { return effective_; }

 private:
  double Checked(const std::string& key, double number, double absent, NumberRange range);

  ConfigReader reader_;
  nlohmann::json effective_ = nlohmann::json::object();
};

}  // namespace phasor::engine
