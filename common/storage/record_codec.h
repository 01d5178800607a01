// The terminal record as bytes: one JSON object. `version` says which fields it has, `readable_by`
// which version of a reader understands them; a version that only adds fields leaves the latter as
// it is, and older readers keep what they do not know apart. What is read may have been written by
// anybody: sizes, types and ranges are checked. Pure functions.
//
//   version 1   all but what follows
//   version 2   tenant, model, accepted_ms, started_ms, readable_by
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
