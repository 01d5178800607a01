// The header of a safetensors file: parsing with every rule of the format's reference reader, and
// writing. Knows bytes and names only, no LibTorch, so that hostile files are tested under the
// sanitizers. Format: huggingface/safetensors, safetensors/src/tensor.rs.
//
// Thread-safe (pure functions). Errors are DATA_LOSS with the reason and, where there is one, the
// tensor's name; the caller puts the file's path in front. Offsets and sizes are bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::engine {

// The element types of the format, in the reference's order ("increasing alignment").
enum class SafetensorsType {
  kBool,
  kF4,
  kF6E2M3,
  kF6E3M2,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kF8E8M0,
  kF8E4M3Fnuz,
  kF8E5M2Fnuz,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kC64,
  kF64,
  kI64,
  kU64,
};

// "F32"; names are case-sensitive in files.
std::string_view SafetensorsTypeName(SafetensorsType type);
int SafetensorsTypeBits(SafetensorsType type);
std::optional<SafetensorsType> FindSafetensorsType(std::string_view name);

struct SafetensorsEntry {
  std::string name;
  SafetensorsType type = SafetensorsType::kF32;
  std::vector<uint64_t> shape = {};
  uint64_t begin = 0;  // relative to the start of the data section
  uint64_t end = 0;    // exclusive
};

struct SafetensorsHeader {
  uint64_t data_start = 0;                // offset of the data section in the file
  std::vector<SafetensorsEntry> entries;  // by (begin, end)
  std::map<std::string, std::string> metadata;
};

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;
// Beyond what any tensor library handles; bounds what a hostile header can make us allocate.
inline constexpr size_t kMaxSafetensorsRank = 64;

// `file` is the whole file, usually a mapping; only its header is read.
StatusOr<SafetensorsHeader> ParseSafetensorsHeader(std::string_view file);

// The length word and the padded JSON for entries that lie in this order without holes
// (begin and end are computed here from type and shape). Names must be unique.
std::string EncodeSafetensorsHeader(std::vector<SafetensorsEntry> entries,
                                    const std::map<std::string, std::string>& metadata);

}  // namespace phasor::engine
