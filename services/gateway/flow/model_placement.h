// Which workers hold a model, what they hold of it, and which are asked to hold it, of those that
// can run it. Pure functions of what workers report.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "phasor/v1/admin.pb.h"

namespace phasor::gateway {

// Names of those that have it in memory.
std::vector<std::string> HoldersOf(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model);

// The same by the digest of what they hold; those whose digest is not known are left out.
std::map<std::string, std::vector<std::string>> HoldersByDigest(
    const std::vector<v1::WorkerStats>& workers, const std::string& model);

// Names of `count` workers that take jobs and don't have it, idle ones first; fewer where there are
// fewer.
std::vector<std::string> PlacesFor(const std::vector<v1::WorkerStats>& workers,
                                   const std::string& model, size_t count);

}  // namespace phasor::gateway
