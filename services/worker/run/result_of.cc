#include "services/worker/run/result_of.h"

#include <algorithm>

#include "common/rpc/spec_convert.h"

namespace phasor::worker {
namespace {

void Add(const engine::Degradation& one, v1::Result* result) {
  v1::Degradation* told = result->add_degradations();
  told->set_phase(std::string(ToString(one.kind)));
  told->set_action(one.action);
  told->set_bytes_asked(static_cast<int64_t>(one.bytes_asked));
  told->set_bytes_free(static_cast<int64_t>(one.bytes_free));
  told->set_unit(one.index);
  told->set_reason(one.reason);
}

}  // namespace

uint64_t PeakOf(const engine::RunReport& report) {
  uint64_t peak = 0;
  for (const engine::UnitRecord& unit : report.units) peak = std::max(peak, unit.peak.total());
  return peak;
}

uint64_t PredictedPeakOf(const engine::RunReport& report) {
  uint64_t peak = 0;
  for (const engine::UnitRecord& unit : report.units) {
    peak = std::max(peak, unit.predicted_peak_bytes);
  }
  return peak;
}

v1::Result ResultOf(const engine::RunReport& report, const ResultFacts& facts) {
  v1::Result result;
  for (const char* phase : {"queue", "load", "encode", "denoise", "decode"}) {
    v1::PhaseTiming* timing = result.add_timings();
    timing->set_phase(phase);
    const auto seconds = facts.seconds.find(phase);
    timing->set_seconds(seconds == facts.seconds.end() ? 0 : seconds->second);
  }
  result.set_attempts(facts.grant.tries + facts.grant.crashes + 1);
  result.set_resumed_from_step(report.resumed_from_step);
  result.set_worker(facts.worker);
  result.set_scheduler(report.scheduler);
  result.set_fingerprint(report.fingerprint);
  for (const std::string& warning : report.warnings) result.add_warnings(warning);
  result.set_device(report.device);
  result.set_peak_memory_bytes(static_cast<int64_t>(PeakOf(report)));
  result.set_predicted_peak_bytes(static_cast<int64_t>(PredictedPeakOf(report)));
  if (!report.strategy.empty()) {
    result.set_strategy(rpc::StrategyOf(std::string(engine::ApiName(report.strategy)))
                            .value_or(v1::STRATEGY_UNSPECIFIED));
  }
  for (const engine::Degradation& one : facts.earlier) Add(one, &result);
  for (const engine::Degradation& one : report.degradations_before) Add(one, &result);
  for (const engine::Degradation& one : report.degradations) Add(one, &result);
  result.set_from_cache(facts.from_cache);
  return result;
}

}  // namespace phasor::worker
