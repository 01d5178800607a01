// The terminal record as bytes: one JSON object with a version. What is read may have been
// written by anybody: sizes, types and ranges are checked, unknown fields are ignored.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

// Most bytes that a record may have, its opaque details included.
inline constexpr size_t kMaxRecordBytes = 1 << 20;

// INVALID_ARGUMENT if the id is malformed, the state is not terminal or the record is too large.
StatusOr<std::string> EncodeRecord(const TerminalRecord& record);

// DATA_LOSS for anything that EncodeRecord does not write.
StatusOr<TerminalRecord> DecodeRecord(std::string_view bytes);

}  // namespace phasor::storage
