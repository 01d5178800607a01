#include "services/worker/take/gpu_care.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "common/log/log.h"
#include "engine/cuda/gpu_policy.h"

namespace phasor::worker {
namespace {

constexpr std::chrono::seconds kEvery{5};
constexpr double kHundred = 100;

// What the driver alone knows.
v1::Gpu FactsOf(const WatchedGpu& gpu) {
  v1::Gpu facts;
  facts.set_name(gpu.card.name);
  facts.set_compute_capability(engine::CapabilityText(gpu.card));
  facts.set_driver(gpu.driver);
  facts.set_memory_total_bytes(static_cast<int64_t>(gpu.card.memory_bytes));
  return facts;
}

}  // namespace

GpuCare::GpuCare(std::optional<WatchedGpu> gpu, metrics::Registry& registry, WorkerStatus& status,
                 std::function<void()> take_out)
    : gpu_(std::move(gpu)),
      status_(status),
      take_out_(std::move(take_out)),
      utilization_ratio_(registry.Gauges("gpu_utilization_ratio",
                                         "Share of the last moments in which the card computed, "
                                         "as NVML tells. None without a card.",
                                         {})),
      utilization_percent_(registry.Gauges("gpu_utilization_percent",
                                           "gpu_utilization_ratio in percent: the name that "
                                           "other servers have.",
                                           {})),
      memory_(registry.Gauges("gpu_memory_usage_bytes",
                              "Of the card's memory what all processes use, as NVML tells.", {})),
      temperature_(registry.Gauges("gpu_temperature_celsius", "Of the card.", {})),
      ecc_(registry.Gauges("gpu_uncorrected_ecc_errors",
                           "Errors of the card's memory that could not be corrected since its "
                           "driver was loaded.",
                           {})),
      xids_(registry.Counters("gpu_xid_errors_total", "Errors that the card reported, by number.",
                              {"xid"})),
      power_(registry.Gauges("gpu_power_watts", "What the card draws.", {})) {
  if (gpu_) status_.SetGpu(FactsOf(*gpu_));
}

void GpuCare::Run(std::stop_token stop) {
  if (!gpu_ || gpu_->watch == nullptr) return;
  std::mutex mutex;
  std::condition_variable_any pause;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Tick();
    pause.wait_for(lock, stop, kEvery, [] { return false; });
  }
}

void GpuCare::Tick() {
  if (!gpu_ || gpu_->watch == nullptr) return;
  const engine::GpuHealth now = gpu_->watch->Look();
  if (!first_) first_ = now;
  if (now.utilization_percent >= 0) {
    utilization_ratio_->Set(now.utilization_percent / kHundred);
    utilization_percent_->Set(now.utilization_percent);
  }
  if (now.memory_used_bytes > 0) memory_->Set(static_cast<double>(now.memory_used_bytes));
  if (now.temperature_celsius >= 0) temperature_->Set(now.temperature_celsius);
  if (now.uncorrected_ecc_errors >= 0) ecc_->Set(static_cast<double>(now.uncorrected_ecc_errors));
  if (now.power_watts >= 0) power_->Set(now.power_watts);
  for (const uint64_t xid : now.xids) {
    xids_.With({std::to_string(xid)}).Increment();
    ++xid_errors_;
    last_xid_ = xid;
  }
  Tell(now);
  const Status fit = engine::JudgeHealth(*first_, now);
  if (fit.ok() || out_) return;
  out_ = true;
  log::Error("the card is not fit for work; the worker takes no more jobs", {{"why", fit}});
  status_.SetCard(fit);
  take_out_();
}

void GpuCare::Tell(const engine::GpuHealth& now) {
  v1::Gpu facts = FactsOf(*gpu_);
  if (now.memory_used_bytes > 0) {
    facts.set_memory_used_bytes(static_cast<int64_t>(now.memory_used_bytes));
  }
  if (now.utilization_percent >= 0) facts.set_utilization_percent(now.utilization_percent);
  if (now.temperature_celsius >= 0) facts.set_temperature_celsius(now.temperature_celsius);
  if (now.power_watts >= 0) facts.set_power_watts(now.power_watts);
  if (now.uncorrected_ecc_errors >= 0) {
    facts.set_uncorrected_ecc_errors(now.uncorrected_ecc_errors);
  }
  facts.set_xid_errors(xid_errors_);
  facts.set_last_xid(static_cast<int64_t>(last_xid_));
  facts.set_mig(now.mig);
  status_.SetGpu(std::move(facts));
}

}  // namespace phasor::worker
