#include "services/worker/closed.h"

namespace phasor::worker {

std::string_view ToString(Closed closed) {
  switch (closed) {
    case Closed::kOrdered:
      return "ordered";
    case Closed::kCordoned:
      return "cordoned";
    case Closed::kMemory:
      return "memory";
    case Closed::kResting:
      return "resting";
  }
  return "unknown";
}

}  // namespace phasor::worker
