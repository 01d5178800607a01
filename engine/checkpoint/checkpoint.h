// The checkpoint of a run as bytes: a fingerprint, a step, named counters and named tensors.
//
// Layout, little-endian: "PHASORCK", u32 version, u32 step, u64 total bytes, then text (u32 length
// + bytes) fingerprint, u32 count + counters (text, i64), u32 count + tensors (text, u8 dtype,
// u8 rank, i64 per dimension, raw values), and the SHA-256 of everything before it. Names ascend
// strictly, so equal states are equal bytes.
// The reader trusts nothing: it never executes, and allocates only what lies in the input.
// Stateless functions, thread-safe. No LibTorch here, so the parser is tested under sanitizers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::engine {

enum class CheckpointDtype : uint8_t { kU8 = 1, kF16 = 2, kBF16 = 3, kF32 = 4, kF64 = 5, kI64 = 6 };

// Bytes of one value; 0 for a value that is no CheckpointDtype.
size_t SizeOf(CheckpointDtype dtype);

struct CheckpointTensor {
  CheckpointDtype dtype = CheckpointDtype::kU8;
  std::vector<int64_t> shape;
  std::string bytes;  // contiguous, little-endian
};

struct Checkpoint {
  std::string fingerprint;
  uint32_t step = 0;
  std::map<std::string, int64_t> counters;
  std::map<std::string, CheckpointTensor> tensors;
};

std::string WriteCheckpoint(const Checkpoint& checkpoint);

// What a checkpoint must be to be read at all.
struct CheckpointExpectation {
  std::string fingerprint;
  uint64_t max_bytes = 0;  // from the run's spec, checked before anything is copied
  uint32_t max_step = 0;
};

// DATA_LOSS: truncated, altered, of another version or malformed. FAILED_PRECONDITION: whole, but
// of another fingerprint.
StatusOr<Checkpoint> ReadCheckpoint(std::string_view bytes, const CheckpointExpectation& expected);

}  // namespace phasor::engine
