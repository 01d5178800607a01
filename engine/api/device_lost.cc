#include "engine/api/device_lost.h"

#include "absl/strings/cord.h"

namespace phasor::engine {
namespace {

constexpr char kMark[] = "phasor/device-lost";

}  // namespace

Status DeviceLost(const std::string& message) {
  Status status = Unavailable(message);
  status.SetPayload(kMark, absl::Cord());
  return status;
}

bool IsDeviceLost(const Status& status) { return status.GetPayload(kMark).has_value(); }

}  // namespace phasor::engine
