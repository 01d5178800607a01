#include "services/worker/run/debug_records.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/log/log.h"
#include "common/picture/json.h"

namespace phasor::worker {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using engine::MemoryKind;

Json BytesJson(const engine::BytesByKind& bytes) {
  return {{"total", bytes.total()},
          {"weights", bytes.of(MemoryKind::kWeights)},
          {"activations", bytes.of(MemoryKind::kActivations)},
          {"workspace", bytes.of(MemoryKind::kWorkspace)}};
}

Json SpecJson(job::GenerateSpec spec, bool prompts) {
  const auto hide = [&](std::string* text) {
    if (!prompts && !text->empty()) *text = "sha256:" + Sha256Hex(*text);
  };
  hide(&spec.picture.prompt);
  hide(&spec.picture.negative_prompt);
  return {{"model", spec.model},
          {"strategy", spec.strategy},
          {"allow_degradation", spec.allow_degradation},
          {"picture", picture::ToJson(spec.picture)}};
}

Json RunJson(const engine::RunReport& report) {
  Json units = Json::array();
  for (const engine::UnitRecord& unit : report.units) {
    units.push_back({{"phase", ToString(unit.kind)},
                     {"unit", unit.index},
                     {"seconds", unit.seconds},
                     {"peak", BytesJson(unit.peak)},
                     {"predicted_peak_bytes", unit.predicted_peak_bytes}});
  }
  Json degradations = Json::array();
  for (const engine::Degradation& one : report.degradations) {
    degradations.push_back({{"phase", ToString(one.kind)},
                            {"unit", one.index},
                            {"action", one.action},
                            {"bytes_asked", one.bytes_asked},
                            {"bytes_free", one.bytes_free},
                            {"reason", one.reason}});
  }
  return {{"fingerprint", report.fingerprint}, {"scheduler", report.scheduler},
          {"strategy", report.strategy},       {"resumed_from_step", report.resumed_from_step},
          {"degradations", degradations},      {"units", units}};
}

}  // namespace

std::string DebugJson(const DebugRecords::Facts& facts, bool prompts) {
  const Json record = {{"job", facts.job},
                       {"worker", facts.worker},
                       {"failed_ms", facts.now_ms},
                       {"tries", facts.tries},
                       {"crashes", facts.crashes},
                       {"code", absl::StatusCodeToString(facts.status.code())},
                       {"class", facts.failure_class},
                       {"message", Message(facts.status)},
                       {"versions", facts.versions},
                       {"request", facts.spec == nullptr ? Json() : SpecJson(*facts.spec, prompts)},
                       {"run", RunJson(facts.report)},
                       {"device",
                        {{"name", facts.device.name},
                         {"bytes", facts.device.use.capacity},
                         {"strategy", facts.device.strategy},
                         {"in_use", BytesJson(facts.device.use.current)}}}};
  return record.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void DebugRecords::Write(const Facts& facts) const {
  if (config_.directory.empty()) return;
  std::error_code error;
  fs::create_directories(config_.directory, error);
  // Names sort by time; of one job's tries each has its own.
  const std::string path = config_.directory + "/" + std::to_string(facts.now_ms) + "-" +
                           facts.job.substr(0, 40) + "-" + std::to_string(facts.tries) + ".json";
  const Status written = WriteFileDurably(path, DebugJson(facts, config_.prompts));
  if (!written.ok()) log::Warn("no debug record", {{"path", path}, {"status", written}});
  DropOld();
}

void DebugRecords::DropOld() const {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(config_.directory, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (files.size() <= config_.most) return;
  std::sort(files.begin(), files.end());
  files.resize(files.size() - config_.most);
  for (const fs::path& file : files) fs::remove(file, error);
}

}  // namespace phasor::worker
