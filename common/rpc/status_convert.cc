#include "common/rpc/status_convert.h"

#include <string>

#include "common/base/utf8.h"
#include "google/rpc/status.pb.h"

namespace phasor::rpc {
namespace {

constexpr size_t kMaxMessage = 1024;

}  // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status rich;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    if (url == kPublicMark) return;
    auto* detail = rich.add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(payload));
  });
  const auto code = static_cast<grpc::StatusCode>(status.raw_code());
  const std::string message = CutUtf8(Message(status), kMaxMessage);
  if (rich.details_size() == 0) return {code, message};
  rich.set_code(code);
  rich.set_message(message);
  return {code, message, rich.SerializeAsString()};
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  Status result = MakeStatus(static_cast<StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status rich;
  if (!status.error_details().empty() && rich.ParseFromString(status.error_details())) {
    for (const auto& detail : rich.details()) {
      result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
    }
  }
  return result;
}

}  // namespace phasor::rpc
