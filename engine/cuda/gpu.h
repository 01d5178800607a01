// What is known of NVIDIA cards before any library of CUDA's is loaded. Plain values; no LibTorch,
// no headers of CUDA's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace phasor::engine {

struct Gpu {
  int index = 0;  // N of "cuda:N"
  std::string name;
  std::string bus_id;  // "0000:3b:00.0": what NVML knows it by
  // Compute capability, 9 and 0 for an H100.
  int major = 0;
  int minor = 0;
  uint64_t memory_bytes = 0;
};

struct DriverReport {
  // The newest CUDA that the driver runs, as it counts: 13000 is 13.0.
  int cuda_version = 0;
  std::string driver;  // "580.65.06"; empty: not known
  std::vector<Gpu> gpus;
};

// A card's health as NVML has it, at one moment.
struct GpuHealth {
  int utilization_percent = -1;  // -1: not known, as below
  int temperature_celsius = -1;
  int64_t uncorrected_ecc_errors = -1;  // since the driver was loaded
  bool mig = false;                     // the card is cut in parts
  uint64_t memory_used_bytes = 0;       // by all processes; 0: not known
  double power_watts = -1;
  std::vector<uint64_t> xids;  // errors of the card since the last look
};

}  // namespace phasor::engine
