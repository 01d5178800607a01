// What the switches of engine/api/compute_options.h come to on a device. Pure functions.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "common/base/status.h"
#include "engine/api/compute_options.h"
#include "engine/cuda/gpu.h"

namespace phasor::engine {

// LibTorch's, by its own names.
enum class AttentionKernel { kFlash, kEfficient, kMath, kCudnn };
inline constexpr size_t kAttentionKernels = 4;

// Which kernels may be taken, and which is asked first. The first that takes a call's head size and
// type computes it; kMath takes every call, with the whole matrix of scores in memory.
struct AttentionOrder {
  // All of them; those that may not be taken come last.
  std::array<AttentionKernel, kAttentionKernels> order = {
      AttentionKernel::kFlash, AttentionKernel::kEfficient, AttentionKernel::kMath,
      AttentionKernel::kCudnn};
  size_t allowed = kAttentionKernels;  // so many of the first

  bool Allows(AttentionKernel kernel) const;
  bool operator==(const AttentionOrder&) const = default;
};

struct Compute {
  bool tf32 = false;
  AttentionOrder attention;
  bool channels_last = true;
};

// On `card`, or on the processor where it is null, with networks in `dtype` ("fp32").
// INVALID_ARGUMENT for a word that is none, or that the device has nothing for: it begins with the
// switch's key.
StatusOr<Compute> ChooseCompute(const ComputeOptions& wanted, const Gpu* card,
                                std::string_view dtype);

// What differs from what "auto" comes to, for fingerprints; empty: nothing does.
std::string Describe(const Compute& compute);

}  // namespace phasor::engine
