// The mark of a status that says: the device is gone (a sticky error of its context, a card that
// fell off the bus). Nothing that this process does with it will work again, so whoever drives the
// engine reports the failure and ends the process without touching the device any more.
// The mark survives Annotate. Stateless.
#pragma once

#include <string>

#include "common/base/status.h"

namespace phasor::engine {

// UNAVAILABLE with the mark.
Status DeviceLost(const std::string& message);

bool IsDeviceLost(const Status& status);

}  // namespace phasor::engine
