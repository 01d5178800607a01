#include "common/config/yaml_reader.h"

#include <utility>

#include "common/base/file.h"
#include "common/base/number.h"

namespace phasor::config {
namespace {

constexpr size_t kMaxBytes = 1 << 20;

StatusOr<double> Number(const YAML::Node& node, double low, double high) {
  if (!node.IsScalar()) return InvalidArgument("must be a number");
  return ParseNumber(node.Scalar(), low, high);
}

}  // namespace

YamlReader::YamlReader(YAML::Node node, std::string where, std::string prefix)
    : node_(node.IsDefined() ? std::move(node) : YAML::Node()),
      where_(std::move(where)),
      prefix_(std::move(prefix)) {
  if (!node_.IsNull() && !node_.IsMap()) {
    const std::string what = prefix_.empty() ? "the file" : prefix_.substr(0, prefix_.size() - 1);
    error_ = InvalidArgument(where_ + ": " + what + " must be a mapping");
  }
}

StatusOr<YamlReader> YamlReader::Open(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxBytes));
  return Parse(text, path);
}

StatusOr<YamlReader> YamlReader::Parse(const std::string& text, const std::string& where) {
  try {
    return YamlReader(YAML::Load(text), where);
  } catch (const YAML::Exception& error) {
    return InvalidArgument(where + ": " + error.what());
  }
}

YAML::Node YamlReader::Find(const std::string& key) {
  known_.insert(key);
  if (!node_.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  return std::as_const(node_)[key];
}

bool YamlReader::Has(const std::string& key) const {
  return node_.IsMap() && node_[key].IsDefined();
}

void YamlReader::Fail(const std::string& key, const std::string& reason) {
  if (error_.ok()) error_ = InvalidArgument(where_ + ": " + prefix_ + key + " " + reason);
}

void YamlReader::String(const std::string& key, std::string* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  if (!node.IsScalar()) return Fail(key, "must be a text");
  *value = node.Scalar();
}

void YamlReader::Strings(const std::string& key, std::vector<std::string>* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  if (!node.IsSequence()) return Fail(key, "must be a list of texts");
  value->clear();
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) return Fail(key, "must be a list of texts");
    value->push_back(item.Scalar());
  }
}

void YamlReader::Bool(const std::string& key, bool* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  if (!YAML::convert<bool>::decode(node, *value)) Fail(key, "must be true or false");
}

void YamlReader::Int(const std::string& key, int64_t low, int64_t high, int64_t* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  if (!node.IsScalar()) return Fail(key, "must be a whole number");
  const auto parsed = ParseSigned(node.Scalar(), low, high);
  if (!parsed.ok()) return Fail(key, Message(parsed.status()));
  *value = *parsed;
}

void YamlReader::Int(const std::string& key, int64_t low, int64_t high, int* value) {
  int64_t wide = *value;
  Int(key, low, high, &wide);
  *value = static_cast<int>(wide);
}

void YamlReader::Double(const std::string& key, double low, double high, double* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  const auto parsed = Number(node, low, high);
  if (!parsed.ok()) return Fail(key, Message(parsed.status()));
  *value = *parsed;
}

void YamlReader::Doubles(const std::string& key, std::vector<double>* value) {
  const YAML::Node node = Find(key);
  if (!node.IsDefined()) return;
  if (!node.IsSequence()) return Fail(key, "must be a list of numbers");
  value->clear();
  for (const YAML::Node& item : node) {
    const auto parsed =
        Number(item, std::numeric_limits<double>::lowest(), std::numeric_limits<double>::max());
    if (!parsed.ok()) return Fail(key, "must be a list of numbers");
    value->push_back(*parsed);
  }
}

YamlReader YamlReader::Child(const std::string& key) {
  return YamlReader(Find(key), where_, prefix_ + key + ".");
}

void YamlReader::Absorb(const YamlReader& child) {
  if (error_.ok()) error_ = child.Finish();
}

YAML::Node YamlReader::Raw(const std::string& key) { return Find(key); }

Status YamlReader::Finish() const {
  RETURN_IF_ERROR(error_);
  if (!node_.IsMap()) return OkStatus();
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "(not a text)";
    if (known_.count(key) == 0) return InvalidArgument(where_ + ": unknown key " + prefix_ + key);
  }
  return OkStatus();
}

}  // namespace phasor::config
