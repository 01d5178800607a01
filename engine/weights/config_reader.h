// Typed access to a component's config.json with the tolerances that diffusers has: 1 and 1.0 are
// the same, null for a boolean is false, a scalar is repeated where a list per level may stand.
//
// The first error sticks: getters then return their default, and the caller asks status() once at
// the end. Errors are INVALID_ARGUMENT (or what reading the file gave) and name file and key.
// One thread. No LibTorch.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"

namespace phasor::engine {

struct IntRange {
  int64_t low = 0;
  int64_t high = 0;  // inclusive
};

class ConfigReader {
 public:
  // `file` is only for messages.
  ConfigReader(std::string file, nlohmann::json config);
  // Reads and parses at most 1 MiB; NOT_FOUND or INVALID_ARGUMENT.
  static StatusOr<ConfigReader> Open(const std::string& path);

  bool Bool(const std::string& key, bool absent);
  int64_t Int(const std::string& key, int64_t absent, IntRange range);
  double Double(const std::string& key, double absent);
  std::string String(const std::string& key, const std::string& absent);
  // Null and absent are nullopt.
  std::optional<int64_t> OptionalInt(const std::string& key, IntRange range);
  std::optional<double> OptionalDouble(const std::string& key);
  std::optional<std::string> OptionalString(const std::string& key);
  std::vector<std::string> Strings(const std::string& key, std::vector<std::string> absent);
  std::vector<int64_t> Ints(const std::string& key, std::vector<int64_t> absent, IntRange range);
  std::vector<double> Doubles(const std::string& key);
  // A scalar repeated `levels` times, or a list of exactly that length.
  std::vector<int64_t> PerLevel(const std::string& key, int64_t absent, size_t levels,
                                IntRange range);
  std::vector<bool> BoolPerLevel(const std::string& key, bool absent, size_t levels);

  // Refuses any value other than null, absence and the given ones.
  void RequireOneOf(const std::string& key, std::initializer_list<nlohmann::json> allowed);
  // For checks across keys: the key's value is refused with this reason.
  void Refuse(const std::string& key, const std::string& reason);

  // Stands in the file, be it as null.
  bool Has(const std::string& key) const;
  // The value for shapes of their own; null when absent. Marks the key as known.
  const nlohmann::json& Raw(const std::string& key);

  const Status& status() const { return status_; }
  // Keys that nobody asked for, without the bookkeeping ones ("_class_name"): to be reported.
  std::vector<std::string> UnknownKeys() const;

 private:
  void Fail(const std::string& key, const std::string& reason);
  int64_t ToInt(const std::string& key, const nlohmann::json& value, IntRange range);
  bool ToBool(const std::string& key, const nlohmann::json& value);
  bool CheckLength(const std::string& key, size_t size, size_t levels);

  std::string file_;
  nlohmann::json config_;
  std::set<std::string> known_;
  Status status_;
};

}  // namespace phasor::engine
