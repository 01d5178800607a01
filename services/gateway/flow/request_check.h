// From what a client sent to a spec with every default filled in, or the whole list of what is
// wrong with it. The transport bounds the size of a request.
// Pure functions.
#pragma once

#include <cstdint>
#include <functional>

#include "common/base/status.h"
#include "common/job/generate_spec.h"
#include "phasor/v1/types.pb.h"
#include "services/gateway/flow/model_catalog.h"

namespace phasor::gateway {

// INVALID_ARGUMENT with a violation for each wrong field (unknown model and scheduler included);
// UNIMPLEMENTED names a field whose feature this version lacks. `draw_seed` is called where the
// request has no seed.
StatusOr<job::GenerateSpec> CompleteRequest(const v1::GenerateRequest& request,
                                            const ModelCatalog& catalog,
                                            const std::function<uint64_t()>& draw_seed);

// SHA-256 in hex of the request as the client sent it, without the idempotency key and the
// deadlines, which clients derive from their clocks: tells a repeated submit from a different one
// under the same key.
std::string RequestFingerprint(const v1::GenerateRequest& request);

}  // namespace phasor::gateway
