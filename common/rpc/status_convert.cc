#include "common/rpc/status_convert.h"

#include <algorithm>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace phasor::rpc {
namespace {

constexpr size_t kMaxMessage = 1024;
constexpr size_t kMaxViolations = 64;
constexpr size_t kMaxDescription = 256;
constexpr char kTypePrefix[] = "type.googleapis.com/";

template <typename Detail>
std::string TypeUrl() {
  return kTypePrefix + Detail::descriptor()->full_name();
}

template <typename Detail>
void Attach(const Detail& detail, Status* status) {
  status->SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
}

template <typename Detail>
std::optional<Detail> Find(const Status& status) {
  const auto payload = status.GetPayload(TypeUrl<Detail>());
  Detail detail;
  if (!payload || !detail.ParseFromString(std::string(*payload))) return std::nullopt;
  return detail;
}

// At most `limit` bytes, never half a UTF-8 character.
std::string Cut(std::string text, size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  text.resize(limit);
  return text + "...";
}

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
  const std::string message = Cut(Message(status), kMaxMessage);
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

Status InvalidFields(const std::vector<job::FieldViolation>& violations) {
  const job::FieldViolation& first = violations.front();
  std::string message = first.field + " " + first.description;
  if (violations.size() > 1) {
    message += " (and " + std::to_string(violations.size() - 1) + " more)";
  }
  Status status = InvalidArgument(message);
  google::rpc::BadRequest bad;
  for (size_t i = 0; i < std::min(violations.size(), kMaxViolations); ++i) {
    auto* field = bad.add_field_violations();
    field->set_field(violations[i].field);
    field->set_description(Cut(violations[i].description, kMaxDescription));
  }
  Attach(bad, &status);
  return status;
}

std::vector<job::FieldViolation> FieldViolationsOf(const Status& status) {
  std::vector<job::FieldViolation> violations;
  if (const auto bad = Find<google::rpc::BadRequest>(status)) {
    for (const auto& field : bad->field_violations()) {
      violations.push_back({field.field(), field.description()});
    }
  }
  return violations;
}

Status WithRetryAfter(Status status, Millis delay) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(delay.count() / 1000);
  info.mutable_retry_delay()->set_nanos(static_cast<int32_t>(delay.count() % 1000) * 1'000'000);
  Attach(info, &status);
  return status;
}

std::optional<Millis> RetryAfterOf(const Status& status) {
  const auto info = Find<google::rpc::RetryInfo>(status);
  if (!info) return std::nullopt;
  constexpr int64_t kMaxSeconds = 86'400;
  const auto& delay = info->retry_delay();
  return Millis(std::clamp<int64_t>(delay.seconds(), 0, kMaxSeconds) * 1000 +
                std::clamp(delay.nanos(), 0, 999'999'999) / 1'000'000);
}

}  // namespace phasor::rpc
