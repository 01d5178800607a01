// The digest of a model's weight files, part of every fingerprint: SHA-256 over each file's bytes
// (header and data, so names, shapes and every bit of the weights count), then over the list of
// labels and file digests. Hashing runs at 1 to 2 GB/s, so files from kDigestCacheFrom on may be
// remembered in `cache_directory`; an entry counts only while size, inode and modification time
// are unchanged.
//
// Safetensors has no checksum, so a flipped bit in a weight shows nowhere else: whoever knows what
// a file must hash to (a model card) passes it in `expected`.
//
// Thread-safe; concurrent writers of a cache entry write the same bytes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace phasor::engine {

inline constexpr uint64_t kDigestCacheFrom = 64 << 20;  // bytes

// `files` is label -> path, e.g. "unet/diffusion_pytorch_model.safetensors" -> its path: labels
// are hashed, paths are not. An empty `cache_directory` means no cache. Lower-case hex.
// `expected` is label -> SHA-256 for any of the files. DATA_LOSS names the file that differs,
// INVALID_ARGUMENT a label that is none of `files`. `on_file` hears of each file that was read.
StatusOr<std::string> DigestOfFiles(
    const std::map<std::string, std::string>& files,
    const std::map<std::string, std::string>& expected, const std::string& cache_directory,
    uint64_t cache_from = kDigestCacheFrom,
    const std::function<void(std::string_view label)>& on_file = {});

}  // namespace phasor::engine
