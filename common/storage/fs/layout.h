// Where the folder store keeps a key. What belongs to a job lies in jobs/ab/cd/<id>/, where the id
// begins with "abcd", so that no folder grows large; stores that were filled before there were such
// shards have it in jobs/<id>/, which is still read. Every other key is its path. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::storage {

// INVALID_ARGUMENT for a legal key or prefix that names a folder of the shards.
Status CheckPlace(std::string_view key);

// Below the store's root; where `key` is written, and read first. Of a key or a prefix of keys.
std::string PathOfKey(std::string_view key);
// Where else it may be, "": nowhere.
std::string OldPathOfKey(std::string_view key);

// Whether a folder of this name, below jobs/ or in a shard of that kind, holds shards or jobs.
bool IsShardName(std::string_view name);
// Whether the job with this id lies in the shard.
bool IsInShard(std::string_view id, std::string_view first, std::string_view second);

}  // namespace phasor::storage
