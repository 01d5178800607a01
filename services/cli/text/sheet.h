// Several pictures side by side in one. Pure.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace phasor::cli {

// A PNG of all `pngs` in rows, as near to a square as it gets, on white with small gaps.
// INVALID_ARGUMENT for no or broken pictures, or a sheet of more than 256 megapixels.
StatusOr<std::string> MakeSheet(const std::vector<std::string>& pngs);

}  // namespace phasor::cli
