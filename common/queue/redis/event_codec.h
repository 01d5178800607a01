// Events as bytes on the event channel, one or several in a message: a line of fields each, then
// the worker's name and the preview as they are.
//
//   1 <id> <version> <epoch> <state> <phase or -> <step> <steps> <ms left> <image>
//     <bytes of worker> <bytes of preview> \n <worker> <preview>
//
// The scripts write the same format (lib/change.lua). Pure functions; anybody may publish on the
// channel, so what is read is checked.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/queue/types.h"

namespace phasor::queue {

// Larger ones are not published: a preview is a small picture.
inline constexpr size_t kMaxEventBytes = 4 << 20;

std::string EncodeEvent(const Event& event);
// Those of one message. DATA_LOSS for anything else.
StatusOr<std::vector<Event>> DecodeEvents(std::string_view bytes);

}  // namespace phasor::queue
