// Which device a program computes on, settled before anything else is loaded or connected to: what
// "--device" said, with "auto" decided.
#pragma once

#include <optional>
#include <string>

#include "common/base/status.h"
#include "engine/cuda/gpu.h"

namespace phasor::engine {

struct ChosenDevice {
  std::string name;         // "cpu", "sim" or "cuda:N"; never "auto"
  std::optional<Gpu> card;  // of "cuda:N"
  std::string driver;       // its version, "580.65.06"; empty: not known, or no card
  Status why_no_card;       // of "auto" that is "cpu"; else OK
  std::string note;         // a sentence for the log, of a driver that nobody has tried; else empty
};

// libphasor_cuda.so beside this program, in the lib/ of its installation, or where a build puts
// programs; empty: it is not there.
std::string CudaPluginPath();
// The sentence for that.
std::string MissingPlugin();

// A card that is named must be there with a driver that is new enough, and so must the plug-in at
// `plugin` (empty: it is not): else NOT_FOUND or FAILED_PRECONDITION in a sentence that begins with
// the device. "auto" is the first card where all that is so, else "cpu". INVALID_ARGUMENT: no name
// of a device.
StatusOr<ChosenDevice> ChooseDevice(const std::string& wanted,
                                    const std::string& plugin = CudaPluginPath());

}  // namespace phasor::engine
