// Which workers are asked to hold a model, of those that can run it. Pure functions of what workers
// report.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "phasor/v1/admin.pb.h"

namespace phasor::gateway {

// Names of those that have it in memory.
std::vector<std::string> HoldersOf(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model);

// Names of `count` workers that take jobs and don't have it, idle ones first; fewer where there are
// fewer.
std::vector<std::string> PlacesFor(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model, size_t count);

}  // namespace phasor::gateway
