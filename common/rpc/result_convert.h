// The terminal record's pictures and opaque details as proto and back. Pure functions.
#pragma once

#include <string>

#include "common/storage/result_store.h"
#include "phasor/v1/types.pb.h"

namespace phasor::rpc {

// TerminalRecord.details: phasor.v1.ResultDetails without the pictures, which the record lists
// itself. `fingerprint`: JobSpec's.
std::string EncodeDetails(const v1::Result& result, const std::string& fingerprint = "");
// The fingerprint of the request whose end this is; empty if the record does not say.
std::string FingerprintOf(const storage::TerminalRecord& record);

// What a client sees: the details with the record's pictures, without image data. Details that do
// not parse are left out: the pictures stand on their own.
v1::Result ResultOf(const storage::TerminalRecord& record);

}  // namespace phasor::rpc
