// Asks the NVIDIA driver what cards there are, without LibTorch and without linking anything of
// CUDA's: libcuda.so.1 is opened if it is there. Thread-safe.
#pragma once

#include "common/base/status.h"
#include "engine/cuda/gpu.h"

namespace phasor::engine {

// A driver that is too old or shows no card is reported, not refused: see CheckDriver and
// ChooseGpu. NOT_FOUND: there is no driver. FAILED_PRECONDITION: it does not start, with its
// reason.
StatusOr<DriverReport> AskDriver();

// The card that `device` ("cuda:N") names, or a sentence that begins with that name and says what
// is missing: the driver, a newer one, or the card.
StatusOr<Gpu> FindGpu(const std::string& device);

}  // namespace phasor::engine
