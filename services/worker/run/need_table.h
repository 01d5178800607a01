// The least memory that jobs of a model take, by the size of their pictures, for the gateways to
// know what can't fit anywhere. Moves nothing and runs nothing.
#pragma once

#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "phasor/v1/admin.pb.h"

namespace phasor::worker {

// Without sizes where the engine plans no memory. One thread, the executor.
v1::ModelNeed NeedOf(const config::ModelCard& card, const engine::Model& model);

}  // namespace phasor::worker
