// What is decided about cards: which one, with what driver, in which type, and whether it is well.
// Pure functions.
#pragma once

#include <optional>
#include <string>

#include "common/base/status.h"
#include "engine/cuda/gpu.h"

namespace phasor::engine {

// LibTorch's, which the programs are built with.
inline constexpr int kBuiltForCuda = 13000;

// What is loaded beside a program to compute on a card, and how somebody comes by it.
inline constexpr char kCudaPlugin[] = "libphasor_cuda.so";
inline constexpr char kCudaPluginHow[] = "./dev build cuda makes and installs what it takes";

// What "--device" may say beside "cpu" and "sim".
struct DeviceChoice {
  bool automatic = false;  // "auto": the first card, or the CPU where there is none
  int index = 0;           // N of "cuda:N"; "cuda" is "cuda:0"
};

// nullopt: the name is not about cards. INVALID_ARGUMENT for a name like "cuda:x".
StatusOr<std::optional<DeviceChoice>> ParseCudaDevice(const std::string& name);

// INVALID_ARGUMENT lists what a device may be called.
Status CheckDeviceName(const std::string& name);
// Whether --vram says something about it: how much of its memory this process may take. Of "auto"
// it does where there is a card.
bool IsBoundable(const std::string& device);
// Told of --vram with any other.
inline constexpr char kBoundable[] = "only with --device sim, cuda:N or auto";

// "8.9": the card's compute capability.
std::string CapabilityText(const Gpu& gpu);
// "13.0" of 13000.
std::string CudaVersionText(int version);

// FAILED_PRECONDITION where the driver is for an older CUDA than LibTorch's, in a sentence with
// both versions. Drivers run what was built for older ones, so a newer one is right.
Status CheckDriver(const DriverReport& report);
// A sentence with both versions where the driver is of a later generation than what was built for
// and nobody has tried it; else empty.
std::string NewerDriver(const DriverReport& report);

// NOT_FOUND names what is there.
StatusOr<Gpu> ChooseGpu(const DriverReport& report, int index);

// What networks compute in on this card, "fp32", "fp16" or "bf16": `wanted`, or for "auto" fp16
// where the card multiplies in it (from 7.0 on), else fp32. INVALID_ARGUMENT where the card can't.
StatusOr<std::string> ChooseDtype(const std::string& wanted, const Gpu& gpu);

// OK, or why no work should be given to the card: an error that is the hardware's, or memory that
// can't be corrected. Errors that a program brings about itself end that program, not the card's
// use.
Status JudgeHealth(const GpuHealth& before, const GpuHealth& now);

}  // namespace phasor::engine
