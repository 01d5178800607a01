#include "services/gateway/grpc/client_answer.h"

#include <atomic>
#include <chrono>

#include "common/log/log.h"
#include "common/rpc/status_convert.h"
#include "services/gateway/flow/client_status.h"

namespace phasor::gateway {
namespace {

// For many calls at once there is one line: they fail for one reason.
void LogReplaced(const Status& status) {
  static std::atomic<int64_t> last{-1};
  const int64_t now = std::chrono::duration_cast<std::chrono::seconds>(
                          std::chrono::steady_clock::now().time_since_epoch())
                          .count();
  if (last.exchange(now) == now) return;
  log::Warn("a client was told to come back", {{"why", status.ToString()}});
}

}  // namespace

grpc::Status AnswerOf(const Status& status) {
  const Status told = ForClient(status);
  if (told.message() != status.message()) LogReplaced(status);
  return rpc::ToGrpc(told);
}

}  // namespace phasor::gateway
