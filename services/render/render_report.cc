#include "services/render/render_report.h"

#include <sys/resource.h>

#include <map>

#include "common/picture/json.h"

namespace phasor::render {
namespace {

using Json = nlohmann::ordered_json;
using engine::MemoryKind;
using engine::UnitKind;

double SecondsOf(const engine::RunReport& run, UnitKind kind) {
  double seconds = 0;
  for (const engine::UnitRecord& unit : run.units) {
    if (unit.kind == kind) seconds += unit.seconds;
  }
  return seconds;
}

std::vector<double> StepSeconds(const engine::RunReport& run) {
  std::vector<double> seconds;
  for (const engine::UnitRecord& unit : run.units) {
    if (unit.kind == UnitKind::kStep) seconds.push_back(unit.seconds);
  }
  return seconds;
}

// The most memory that the process has had, in bytes. Linux counts in KiB.
uint64_t PeakResidentBytes() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

Json PeakJson(const engine::UnitRecord& unit) {
  const engine::BytesByKind& peak = unit.peak;
  return {{"peak_bytes", peak.total()},
          {"predicted_peak_bytes", unit.predicted_peak_bytes},
          {"weights", peak.of(MemoryKind::kWeights)},
          {"activations", peak.of(MemoryKind::kActivations)},
          {"workspace", peak.of(MemoryKind::kWorkspace)}};
}

// The device's memory, by phase as it stood when most was in use.
Json MemoryJson(const engine::RunReport& run) {
  std::map<UnitKind, engine::UnitRecord> peaks;
  for (const engine::UnitRecord& unit : run.units) {
    engine::UnitRecord& highest = peaks[unit.kind];
    if (unit.peak.total() >= highest.peak.total()) highest = unit;
  }
  Json phases = Json::object();
  for (const auto& [kind, unit] : peaks) phases[std::string(ToString(kind))] = PeakJson(unit);
  Json timeline = Json::array();
  double begin = 0;
  for (const engine::UnitRecord& unit : run.units) {
    Json entry = PeakJson(unit);
    entry.update({{"phase", ToString(unit.kind)},
                  {"unit", unit.index},
                  {"begin_seconds", begin},
                  {"seconds", unit.seconds},
                  {"fetched_bytes", unit.fetched_bytes},
                  {"waited_seconds", unit.waited_seconds}});
    begin += unit.seconds;
    timeline.push_back(std::move(entry));
  }
  Json degradations = Json::array();
  std::vector<engine::Degradation> all = run.degradations_before;
  all.insert(all.end(), run.degradations.begin(), run.degradations.end());
  for (const engine::Degradation& one : all) {
    degradations.push_back({{"phase", ToString(one.kind)},
                            {"unit", one.index},
                            {"action", one.action},
                            {"reason", one.reason}});
  }
  return {{"device", run.device},     {"device_bytes", run.device_bytes},
          {"strategy", run.strategy}, {"degradations", degradations},
          {"phases", phases},         {"timeline", timeline}};
}

Json SecondsJson(const RenderReport& report) {
  return {{"load", report.model.load_seconds},
          {"encode", SecondsOf(report.run, UnitKind::kEncode)},
          {"denoise", SecondsOf(report.run, UnitKind::kStep)},
          {"denoiser", report.run.denoiser_seconds},
          {"decode", SecondsOf(report.run, UnitKind::kDecode)},
          {"total", report.total_seconds},
          {"steps", StepSeconds(report.run)}};
}

Json ResumeJson(const RenderReport& report) {
  return {{"resumed", report.run.resumed},
          {"from_step", report.run.resumed_from_step},
          {"refused", report.resume_refused}};
}

}  // namespace

Json ToJson(const RenderReport& report) {
  Json images = Json::array();
  for (const RenderedFile& file : report.images) {
    images.push_back({{"path", file.path}, {"sha256", file.sha256}, {"seed", file.seed}});
  }
  return {{"status", report.status},
          {"error", report.error},
          {"model",
           {{"name", report.model.name},
            {"family", report.model.family},
            {"digest", report.model.digest},
            {"weight_bytes", report.model.weight_bytes}}},
          {"request", picture::ToJson(report.spec)},
          {"scheduler", report.run.scheduler},
          {"warnings", report.run.warnings},
          {"versions", report.versions},
          {"fingerprint", report.run.fingerprint},
          {"seconds", SecondsJson(report)},
          {"peak_resident_bytes", PeakResidentBytes()},
          {"memory", MemoryJson(report.run)},
          {"resume", ResumeJson(report)},
          {"checkpoint", report.checkpoint},
          {"images", std::move(images)}};
}

}  // namespace phasor::render
