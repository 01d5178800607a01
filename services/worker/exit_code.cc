#include "services/worker/exit_code.h"

#include <poll.h>
#include <unistd.h>

#include "common/log/log.h"

namespace phasor::worker {

void EndProcessAtOnce(const std::string& why) {
  pollfd log{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&log, 1, 0) == 1) log::Error("the process ends at once", {{"why", why}});
  _exit(static_cast<int>(ExitCode::kDeviceLost));
}

}  // namespace phasor::worker
