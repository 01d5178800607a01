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

}  // namespace

GpuCare::GpuCare(std::unique_ptr<engine::GpuWatch> watch, metrics::Registry& registry,
                 WorkerStatus& status, std::function<void()> take_out)
    : watch_(std::move(watch)),
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
                              {"xid"})) {}

void GpuCare::Run(std::stop_token stop) {
  if (watch_ == nullptr) return;
  std::mutex mutex;
  std::condition_variable_any pause;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Tick();
    pause.wait_for(lock, stop, kEvery, [] { return false; });
  }
}

void GpuCare::Tick() {
  if (watch_ == nullptr) return;
  const engine::GpuHealth now = watch_->Look();
  if (!first_) first_ = now;
  if (now.utilization_percent >= 0) {
    utilization_ratio_->Set(now.utilization_percent / kHundred);
    utilization_percent_->Set(now.utilization_percent);
  }
  if (now.memory_used_bytes > 0) memory_->Set(static_cast<double>(now.memory_used_bytes));
  if (now.temperature_celsius >= 0) temperature_->Set(now.temperature_celsius);
  if (now.uncorrected_ecc_errors >= 0) ecc_->Set(static_cast<double>(now.uncorrected_ecc_errors));
  for (const uint64_t xid : now.xids) xids_.With({std::to_string(xid)}).Increment();
  const Status fit = engine::JudgeHealth(*first_, now);
  if (fit.ok() || out_) return;
  out_ = true;
  log::Error("the card is not fit for work; the worker takes no more jobs", {{"why", fit}});
  status_.SetCard(fit);
  take_out_();
}

}  // namespace phasor::worker
