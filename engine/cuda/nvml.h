// A card's health from NVIDIA's management library, which comes with the driver: libnvidia-ml.so.1
// is opened if it is there, nothing is linked.
#pragma once

#include <memory>
#include <string>

#include "common/base/status.h"
#include "engine/cuda/gpu.h"

namespace phasor::engine {

// "580.65.06"; empty where there is no NVML.
std::string NvmlDriverVersion();

// Looks after one card. One thread.
class GpuWatch {
 public:
  // NOT_FOUND: there is no NVML, or it does not know the card.
  static StatusOr<std::unique_ptr<GpuWatch>> Make(const Gpu& gpu);
  virtual ~GpuWatch() = default;
  // What can't be had is left as not known; waits for nothing.
  virtual GpuHealth Look() = 0;
};

}  // namespace phasor::engine
