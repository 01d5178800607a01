// Messages as the bytes that came over the wire. gRPC answers UNIMPLEMENTED without a word where
// its own parser fails, and it fails for a text that is no UTF-8. So all methods are raw and parse
// here, and their clients hear which field is wrong. Pure functions.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include "common/base/status.h"

namespace phasor::gateway {

// INVALID_ARGUMENT with a violation for each field, or the first few, whose text is no UTF-8, named
// as for all other faults ("prompt", in a batch "requests[3].prompt"); or because the bytes are no
// such message.
Status ParseMessage(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

grpc::ByteBuffer ToBytes(const google::protobuf::Message& message);

}  // namespace phasor::gateway
