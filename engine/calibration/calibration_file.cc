#include "engine/calibration/calibration_file.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "common/base/byte_size.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/number.h"
#include "common/picture/limits.h"

namespace phasor::engine {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxUnits = 1000;
constexpr int kVersion = 1;
constexpr double kMostSeconds = 1e6;
constexpr UnitKind kPhases[] = {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode};

Json HeadOf(const CalibrationKey& key) {
  return {{"phasor", "calibration"},
          {"version", kVersion},
          {"model", key.model_digest},
          {"machine", key.machine}};
}

bool IsTime(double seconds) {
  return std::isfinite(seconds) && seconds >= 0 && seconds <= kMostSeconds;
}

// What is wrong with it, as a phrase; empty: nothing.
std::string Wrong(const MeasuredUnit& unit) {
  const int widest = picture::WidestLimits().max_size;
  const UnitShape& shape = unit.shape;
  if (shape.phase == UnitKind::kDone) return "is of an unknown phase";
  if (shape.width < 1 || shape.height < 1 || shape.width > widest || shape.height > widest) {
    return "has sides beyond 1 to " + std::to_string(widest);
  }
  if (!IsTime(unit.seconds)) return "has seconds that are no time";
  if (unit.expected_bytes == 0) return "expects no memory";
  const double factor =
      static_cast<double>(unit.counted_bytes) / static_cast<double>(unit.expected_bytes);
  if (factor >= kLeastMemoryFactor && factor <= kMostMemoryFactor) return "";
  return "says that " + ByteSizeText(unit.counted_bytes) + " were counted where " +
         ByteSizeText(unit.expected_bytes) + " are computed, which is more than " +
         NumberText(kMostMemoryFactor) + " times or less than " + NumberText(kLeastMemoryFactor) +
         " of it";
}

Status Check(const Calibration& calibration) {
  if (!IsTime(calibration.fetch_seconds_per_byte)) {
    return DataLoss("fetch_seconds_per_byte is no time");
  }
  for (size_t i = 0; i < calibration.units.size(); ++i) {
    const std::string wrong = Wrong(calibration.units[i]);
    if (!wrong.empty()) return DataLoss("unit " + std::to_string(i + 1) + " " + wrong);
  }
  return OkStatus();
}

// Throws nlohmann's errors for what is absent or of another type.
MeasuredUnit UnitOf(const Json& json) {
  MeasuredUnit unit;
  const auto word = json.at("phase").get<std::string>();
  for (const UnitKind phase : kPhases) {
    if (word == ToString(phase)) unit.shape.phase = phase;
  }
  json.at("width").get_to(unit.shape.width);
  json.at("height").get_to(unit.shape.height);
  json.at("guidance").get_to(unit.shape.guidance);
  json.at("expected_bytes").get_to(unit.expected_bytes);
  json.at("counted_bytes").get_to(unit.counted_bytes);
  json.at("seconds").get_to(unit.seconds);
  return unit;
}

StatusOr<Calibration> Parse(const std::string& text, const CalibrationKey& key) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return DataLoss("is no JSON object, or is cut off");
  const Json head = HeadOf(key);
  for (const auto& [name, value] : head.items()) {
    if (!json.contains(name) || json[name] != value) {
      return DataLoss("its \"" + name + "\" is not " + value.dump());
    }
  }
  Calibration calibration;
  try {
    json.at("fetch_seconds_per_byte").get_to(calibration.fetch_seconds_per_byte);
    const Json& units = json.at("units");
    if (units.size() > kMaxUnits) return DataLoss("has too many units");
    for (const Json& unit : units) calibration.units.push_back(UnitOf(unit));
  } catch (const nlohmann::json::exception& error) {
    return DataLoss(error.what());
  }
  RETURN_IF_ERROR(Check(calibration));
  return calibration;
}

}  // namespace

std::string CalibrationPath(const CalibrationKey& key) {
  const std::string name = Sha256Hex(key.model_digest + '\0' + key.machine);
  return key.directory + "/" + name.substr(0, 32) + "-calibration.json";
}

StatusOr<std::string> WriteCalibration(const CalibrationKey& key, const Calibration& calibration) {
  if (key.directory.empty()) {
    return FailedPrecondition("there is no cache directory to keep a calibration in");
  }
  RETURN_IF_ERROR(Check(calibration));
  Json units = Json::array();
  for (const MeasuredUnit& unit : calibration.units) {
    units.push_back({{"phase", ToString(unit.shape.phase)},
                     {"width", unit.shape.width},
                     {"height", unit.shape.height},
                     {"guidance", unit.shape.guidance},
                     {"expected_bytes", unit.expected_bytes},
                     {"counted_bytes", unit.counted_bytes},
                     {"seconds", unit.seconds}});
  }
  Json json = HeadOf(key);
  json["fetch_seconds_per_byte"] = calibration.fetch_seconds_per_byte;
  json["units"] = std::move(units);
  RETURN_IF_ERROR(MakeDirectories(key.directory));
  const std::string path = CalibrationPath(key);
  RETURN_IF_ERROR(WriteFileDurably(path, json.dump(2) + "\n"));
  return path;
}

StatusOr<std::optional<Calibration>> ReadCalibration(const CalibrationKey& key) {
  if (key.directory.empty()) return std::optional<Calibration>();
  const std::string path = CalibrationPath(key);
  const StatusOr<std::string> text = ReadFile(path, kMaxFileBytes);
  if (text.status().code() == StatusCode::kNotFound) return std::optional<Calibration>();
  if (!text.ok()) return text.status();
  StatusOr<Calibration> calibration = Parse(*text, key);
  if (!calibration.ok()) return DataLoss(path + ": " + Message(calibration.status()));
  return std::optional<Calibration>(*std::move(calibration));
}

}  // namespace phasor::engine
