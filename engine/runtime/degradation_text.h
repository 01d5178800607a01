// What a run gave up, as bytes that go with its checkpoint: where the run goes on, its report still
// tells. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "engine/api/engine.h"

namespace phasor::engine {

// Of a checkpoint, bytes.
inline constexpr size_t kMaxDegradationText = 8 << 10;

// The newest that there is room for, reasons cut to a line; "" for none.
std::string DegradationText(const std::vector<Degradation>& degradations);

// DATA_LOSS: it is no text of the above.
StatusOr<std::vector<Degradation>> ParseDegradations(std::string_view text);

}  // namespace phasor::engine
