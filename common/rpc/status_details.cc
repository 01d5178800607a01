#include "common/rpc/status_details.h"

#include <algorithm>
#include <string>

#include "common/base/utf8.h"
#include "google/rpc/error_details.pb.h"

namespace phasor::rpc {
namespace {

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

}  // namespace

Status InvalidFields(const std::vector<FieldViolation>& violations) {
  const FieldViolation& first = violations.front();
  std::string message = first.field + " " + first.description;
  if (violations.size() > 1) {
    message += " (and " + std::to_string(violations.size() - 1) + " more)";
  }
  Status status = InvalidArgument(message);
  google::rpc::BadRequest bad;
  for (size_t i = 0; i < std::min(violations.size(), kMaxViolations); ++i) {
    auto* field = bad.add_field_violations();
    field->set_field(violations[i].field);
    field->set_description(CutUtf8(violations[i].description, kMaxDescription));
  }
  Attach(bad, &status);
  return status;
}

std::vector<FieldViolation> FieldViolationsOf(const Status& status) {
  std::vector<FieldViolation> violations;
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
