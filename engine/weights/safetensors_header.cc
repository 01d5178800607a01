#include "engine/weights/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <set>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

namespace phasor::engine {
namespace {

struct TypeRow {
  SafetensorsType type;
  std::string_view name;
  int bits;
};

constexpr std::array<TypeRow, 22> kTypes = {{
    {SafetensorsType::kBool, "BOOL", 8},
    {SafetensorsType::kF4, "F4", 4},
    {SafetensorsType::kF6E2M3, "F6_E2M3", 6},
    {SafetensorsType::kF6E3M2, "F6_E3M2", 6},
    {SafetensorsType::kU8, "U8", 8},
    {SafetensorsType::kI8, "I8", 8},
    {SafetensorsType::kF8E5M2, "F8_E5M2", 8},
    {SafetensorsType::kF8E4M3, "F8_E4M3", 8},
    {SafetensorsType::kF8E8M0, "F8_E8M0", 8},
    {SafetensorsType::kF8E4M3Fnuz, "F8_E4M3FNUZ", 8},
    {SafetensorsType::kF8E5M2Fnuz, "F8_E5M2FNUZ", 8},
    {SafetensorsType::kI16, "I16", 16},
    {SafetensorsType::kU16, "U16", 16},
    {SafetensorsType::kF16, "F16", 16},
    {SafetensorsType::kBF16, "BF16", 16},
    {SafetensorsType::kI32, "I32", 32},
    {SafetensorsType::kU32, "U32", 32},
    {SafetensorsType::kF32, "F32", 32},
    {SafetensorsType::kC64, "C64", 64},
    {SafetensorsType::kF64, "F64", 64},
    {SafetensorsType::kI64, "I64", 64},
    {SafetensorsType::kU64, "U64", 64},
}};

const TypeRow& Row(SafetensorsType type) { return kTypes[static_cast<size_t>(type)]; }

// Builds the entries from the parser's events: a document tree would lose duplicate keys and cost
// many times the header's size. Unknown fields of an entry are skipped at any depth.
class HeaderEvents : public nlohmann::json_sax<nlohmann::json> {
 public:
  const std::string& error() const { return error_; }
  std::vector<SafetensorsEntry>& entries() { return entries_; }
  std::map<std::string, std::string>& metadata() { return metadata_; }

  bool null() override {
    if (Skipping()) return true;
    return place_ == Place::kRoot && key_ == "__metadata__" ? true : WrongType();
  }
  bool boolean(bool) override { return Skipping() || WrongType(); }
  // Called for numbers with a minus sign only.
  bool number_integer(number_integer_t) override { return Skipping() || WrongType(); }
  bool number_float(number_float_t, const string_t&) override { return Skipping() || WrongType(); }
  bool binary(binary_t&) override { return WrongType(); }

  bool number_unsigned(number_unsigned_t value) override {
    if (Skipping()) return true;
    if (place_ == Place::kShape) {
      if (entries_.back().shape.size() == kMaxSafetensorsRank) {
        return FailEntry("has more than " + std::to_string(kMaxSafetensorsRank) + " dimensions");
      }
      entries_.back().shape.push_back(value);
      return true;
    }
    if (place_ == Place::kOffsets) {
      if (offsets_ == 2) return FailEntry("data_offsets has more than two numbers");
      (offsets_++ == 0 ? entries_.back().begin : entries_.back().end) = value;
      return true;
    }
    return WrongType();
  }

  bool string(string_t& value) override {
    if (Skipping()) return true;
    if (place_ == Place::kMetadata) {
      metadata_[key_] = value;
      return true;
    }
    if (place_ != Place::kEntry || key_ != "dtype") return WrongType();
    const auto type = FindSafetensorsType(value);
    if (!type) return FailEntry("has the unknown dtype '" + value.substr(0, 32) + "'");
    entries_.back().type = *type;
    return true;
  }

  bool start_object(std::size_t) override {
    if (Skipping()) return Deeper();
    if (place_ == Place::kStart) {
      place_ = Place::kRoot;
      return true;
    }
    if (place_ != Place::kRoot) return WrongType();
    if (key_ == "__metadata__") {
      place_ = Place::kMetadata;
      return true;
    }
    place_ = Place::kEntry;
    entries_.push_back({.name = key_});
    fields_.clear();
    offsets_ = 0;
    return true;
  }

  bool key(string_t& name) override {
    if (skip_depth_ > 0) return true;
    key_ = name;
    switch (place_) {
      case Place::kRoot:
        if (names_.insert(name).second) return true;
        return Fail("the name '" + name.substr(0, 256) + "' stands in the header twice");
      case Place::kMetadata:
        return true;
      default:
        if (!IsField(name) || fields_.insert(name).second) return true;
        return FailEntry("has the field '" + name + "' twice");
    }
  }

  bool end_object() override {
    if (skip_depth_ > 0) return Shallower();
    if (place_ == Place::kEntry) {
      for (const char* field : {"dtype", "shape", "data_offsets"}) {
        if (!fields_.contains(field)) return FailEntry("has no " + std::string(field));
      }
    }
    place_ = place_ == Place::kRoot ? Place::kEnd : Place::kRoot;
    return true;
  }

  bool start_array(std::size_t) override {
    if (Skipping()) return Deeper();
    if (place_ != Place::kEntry || key_ == "dtype") return WrongType();
    place_ = key_ == "shape" ? Place::kShape : Place::kOffsets;
    return true;
  }

  bool end_array() override {
    if (skip_depth_ > 0) return Shallower();
    if (place_ == Place::kOffsets && offsets_ != 2) {
      return FailEntry("data_offsets has fewer than two numbers");
    }
    place_ = Place::kEntry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail("the header is not valid JSON near byte " + std::to_string(8 + position));
  }

 private:
  enum class Place { kStart, kRoot, kMetadata, kEntry, kShape, kOffsets, kEnd };

  static bool IsField(const std::string& name) {
    return name == "dtype" || name == "shape" || name == "data_offsets";
  }
  // Inside, or at the start of, the value of an unknown field.
  bool Skipping() const { return skip_depth_ > 0 || (place_ == Place::kEntry && !IsField(key_)); }
  bool Deeper() {
    ++skip_depth_;
    return true;
  }
  bool Shallower() {
    --skip_depth_;
    return true;
  }
  bool Fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
    return false;
  }
  bool FailEntry(const std::string& reason) {
    return Fail("tensor '" + entries_.back().name.substr(0, 256) + "' " + reason);
  }
  bool WrongType() {
    switch (place_) {
      case Place::kStart:
        return Fail("the header is not a JSON object");
      case Place::kMetadata:
        return Fail("__metadata__ holds something other than strings at '" + key_ + "'");
      case Place::kEntry:
        return FailEntry("has a value of the wrong type in '" + key_ + "'");
      case Place::kShape:
      case Place::kOffsets:
        return FailEntry("has something other than unsigned 64-bit integers in '" + key_ + "'");
      default:
        return Fail("the entry '" + key_ + "' is not an object");
    }
  }

  Place place_ = Place::kStart;
  std::string key_;  // the last key outside skipped values
  size_t skip_depth_ = 0;
  int offsets_ = 0;
  std::set<std::string> names_;
  std::set<std::string> fields_;
  std::vector<SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
  std::string error_;
};

// nullopt on overflow. Left to right, as the reference: [2^40, 2^40, 0] overflows,
// [0, 2^40, 2^40] does not.
std::optional<uint64_t> Bits(const SafetensorsEntry& entry) {
  uint64_t bits = 1;
  for (const uint64_t dimension : entry.shape) {
    if (__builtin_mul_overflow(bits, dimension, &bits)) return std::nullopt;
  }
  const uint64_t each = static_cast<uint64_t>(SafetensorsTypeBits(entry.type));
  if (__builtin_mul_overflow(bits, each, &bits)) return std::nullopt;
  return bits;
}

// Rules 5 to 7: no hole, no overlap, sizes as shape and dtype say, nothing after the last tensor.
Status CheckLayout(const std::vector<SafetensorsEntry>& entries, uint64_t data_size) {
  uint64_t position = 0;
  for (const SafetensorsEntry& entry : entries) {
    const std::string tensor = "tensor '" + entry.name.substr(0, 256) + "' ";
    if (entry.end < entry.begin) return DataLoss(tensor + "ends before it begins");
    if (entry.begin != position) {
      return DataLoss(tensor + "begins at " + std::to_string(entry.begin) + " but the " +
                      (entry.begin > position ? "data before it ends" : "tensor before it ends") +
                      " at " + std::to_string(position));
    }
    const auto bits = Bits(entry);
    if (!bits) return DataLoss(tensor + "has a shape whose size overflows 64 bits");
    if (*bits % 8 != 0) return DataLoss(tensor + "does not fill whole bytes");
    if (*bits / 8 != entry.end - entry.begin) {
      return DataLoss(tensor + "has " + std::to_string(entry.end - entry.begin) +
                      " bytes where its shape and dtype need " + std::to_string(*bits / 8));
    }
    position = entry.end;
  }
  if (position > data_size) {
    return DataLoss("truncated: the header promises " + std::to_string(position) +
                    " bytes of data, the file holds " + std::to_string(data_size));
  }
  if (position < data_size) {
    return DataLoss(std::to_string(data_size - position) + " bytes follow the last tensor");
  }
  return OkStatus();
}

}  // namespace

std::string_view SafetensorsTypeName(SafetensorsType type) { return Row(type).name; }

int SafetensorsTypeBits(SafetensorsType type) { return Row(type).bits; }

std::optional<SafetensorsType> FindSafetensorsType(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view file) {
  if (file.size() < 8) return DataLoss("not a safetensors file: shorter than 8 bytes");
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | static_cast<uint8_t>(file[i]);
  if (length > kMaxSafetensorsHeader) {
    return DataLoss("not a safetensors file: a header of " + std::to_string(length) +
                    " bytes; the limit is " + std::to_string(kMaxSafetensorsHeader));
  }
  if (length > file.size() - 8) {
    return DataLoss("truncated: the header has " + std::to_string(length) + " bytes, the file " +
                    std::to_string(file.size()));
  }
  const std::string_view json = file.substr(8, length);
  if (json.empty() || json.front() != '{') return DataLoss("the header does not begin with '{'");
  // The JSON parser would take a NUL for the end of its input.
  if (json.find('\0') != std::string_view::npos) return DataLoss("the header holds a NUL byte");

  HeaderEvents events;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &events)) {
    return DataLoss(events.error());
  }
  SafetensorsHeader header;
  header.data_start = 8 + length;
  header.entries = std::move(events.entries());
  header.metadata = std::move(events.metadata());
  // By the pair, so that an empty tensor comes before the one that begins where it stands.
  std::sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  RETURN_IF_ERROR(CheckLayout(header.entries, file.size() - header.data_start));
  return header;
}

std::string EncodeSafetensorsHeader(std::vector<SafetensorsEntry> entries,
                                    const std::map<std::string, std::string>& metadata) {
  nlohmann::json root = nlohmann::json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  uint64_t position = 0;
  for (const SafetensorsEntry& entry : entries) {
    const uint64_t end = position + Bits(entry).value_or(0) / 8;
    root[entry.name] = {{"dtype", SafetensorsTypeName(entry.type)},
                        {"shape", entry.shape},
                        {"data_offsets", {position, end}}};
    position = end;
  }
  std::string json = root.dump();
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(json.size() >> (8 * i));
  return bytes + json;
}

}  // namespace phasor::engine
