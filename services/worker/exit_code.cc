#include "services/worker/exit_code.h"

#include <unistd.h>

#include <csignal>

#include "common/log/log.h"

namespace phasor::worker {
namespace {

void Exit(int) { _exit(static_cast<int>(ExitCode::kDeviceLost)); }

}  // namespace

void EndProcessAtOnce(const std::string& why) {
  std::signal(SIGALRM, Exit);
  alarm(1);
  log::Error("the process ends at once", {{"why", why}});
  _exit(static_cast<int>(ExitCode::kDeviceLost));
}

}  // namespace phasor::worker
