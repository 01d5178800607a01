#include "common/rpc/grpc_log.h"

#include <mutex>

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include "common/log/log.h"

namespace phasor::rpc {

void RouteGrpcLog() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function([](gpr_log_func_args* line) {
      log::Debug("grpc", {{"file", line->file}, {"line", line->line}, {"text", line->message}});
    });
    google::protobuf::SetLogHandler(
        [](google::protobuf::LogLevel, const char* file, int line, const std::string& message) {
          log::Debug("protobuf", {{"file", file}, {"line", line}, {"text", message}});
        });
  });
}

}  // namespace phasor::rpc
