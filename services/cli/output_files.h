// Names for pictures and writing them. The naming is pure; writing replaces a file in one step.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "phasor/v1/types.pb.h"

namespace phasor::cli {

// "A red circle!" -> "a-red-circle"; at most 60 characters, "picture" if nothing is left.
std::string Slug(const std::string& prompt);

// Names for `count` pictures. `output`: the file for one, with "-1", "-2" ... before the ending
// for several; empty: slug and seed.
std::vector<std::string> OutputNames(const std::string& output, const std::string& directory,
                                     const std::string& prompt,
                                     const std::vector<v1::ImageResult>& pictures);

// Writes `bytes` and makes the folder it lies in. Errors name the file.
Status WriteOutput(const std::string& path, const std::string& bytes);

}  // namespace phasor::cli
