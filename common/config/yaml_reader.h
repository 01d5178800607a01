// A YAML mapping read strictly: typed getters with bounds, and an error for every key that
// nobody asked for. All errors name the file and the dotted key.
//
//   YamlReader reader = ...; reader.Int("steps", 1, 1000, &steps); return reader.Finish();
//
// The first error wins and is returned by Finish. One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "common/base/status.h"

namespace phasor::config {

class YamlReader {
 public:
  // `where` names the file in messages. An absent or null node is an empty mapping.
  YamlReader(YAML::Node node, std::string where, std::string prefix = "");

  // Parses a whole file; at most 1 MiB.
  static StatusOr<YamlReader> Open(const std::string& path);
  static StatusOr<YamlReader> Parse(const std::string& text, const std::string& where);

  // Each leaves `*value` as it is when the key is absent.
  void String(const std::string& key, std::string* value);
  void Strings(const std::string& key, std::vector<std::string>* value);
  void Bool(const std::string& key, bool* value);
  void Int(const std::string& key, int64_t low, int64_t high, int64_t* value);
  void Int(const std::string& key, int64_t low, int64_t high, int* value);
  void Double(const std::string& key, double low, double high, double* value);
  // A list of numbers.
  void Doubles(const std::string& key, std::vector<double>* value);

  bool Has(const std::string& key) const;
  // A nested mapping; finish it with Absorb so that its errors count.
  YamlReader Child(const std::string& key);
  void Absorb(const YamlReader& child);
  // The raw node, for shapes that no getter covers; marks the key as known.
  YAML::Node Raw(const std::string& key);
  void Fail(const std::string& key, const std::string& reason);

  // The first error, or an error for the first unknown key.
  Status Finish() const;

 private:
  YAML::Node Find(const std::string& key);

  YAML::Node node_;
  std::string where_;
  std::string prefix_;
  std::set<std::string> known_;
  Status error_;
};

}  // namespace phasor::config
