// The terminal record's pictures and opaque details as proto and back. Pure functions.
#pragma once

#include <string>

#include "common/storage/result_store.h"
#include "phasor/v1/types.pb.h"

namespace phasor::rpc {

// TerminalRecord.details of a DONE job: phasor.v1.ResultDetails without the pictures, which the
// record lists itself.
std::string EncodeDetails(const v1::Result& result);

// What a client sees: the details with the record's pictures, without image data. Details that do
// not parse are left out: the pictures stand on their own.
v1::Result ResultOf(const storage::TerminalRecord& record);

}  // namespace phasor::rpc
