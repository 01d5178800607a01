#include "engine/fake/fault_player.h"

#include <unistd.h>

#include <chrono>

#include "engine/api/device_lost.h"

namespace phasor::engine {
namespace {

constexpr size_t kMostRemembered = 4096;

}  // namespace

Status FaultPlayer::BeforeUnit(const PictureSpec& spec, const Unit& unit) {
  ASSIGN_OR_RETURN(const auto directives, ParseFaultDirectives(spec.prompt));
  for (size_t i = 0; i < directives.size(); ++i) {
    const FaultDirective& directive = directives[i];
    if (!Matches(directive, unit)) continue;
    if (played_.size() > kMostRemembered) played_.clear();
    int& played =
        played_[std::to_string(i) + "," + std::to_string(spec.seed) + "," +
                std::to_string(spec.width) + "x" + std::to_string(spec.height) + "," + spec.prompt];
    if (directive.times > 0 && played >= directive.times) continue;
    ++played;
    RETURN_IF_ERROR(Play(directive.kind));
  }
  return OkStatus();
}

Status FaultPlayer::Play(FaultKind kind) {
  switch (kind) {
    case FaultKind::kCrash:
      _exit(kCrashExitCode);
    case FaultKind::kHang:
      sleep_(std::chrono::hours(24));
      return DeadlineExceeded("the prompt asked the fake engine to hang");
    case FaultKind::kOutOfMemory:
      return ResourceExhausted("out of memory: the prompt asked the fake engine for it");
    case FaultKind::kDeviceLost:
      return DeviceLost("device lost: the prompt asked the fake engine for it");
    case FaultKind::kInternal:
      return Internal("the prompt asked the fake engine to fail");
  }
  return OkStatus();
}

}  // namespace phasor::engine
