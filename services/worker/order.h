// What a gateway asks of the executor between two jobs. A plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "common/base/status.h"

namespace phasor::worker {

struct Order {
  enum class Kind {
    kLoad,
    kUnload,
    kCleanup,  // of caches and idle models
  };
  Kind kind = Kind::kLoad;
  std::string model = {};
  bool pin = false;  // a loaded model stays
  // Called once, on the executor's thread, with the bytes of the device that were freed; empty:
  // nobody waits.
  std::function<void(const Status& status, uint64_t freed)> done = nullptr;
};

}  // namespace phasor::worker
