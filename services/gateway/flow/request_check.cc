#include "services/gateway/flow/request_check.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/unknown_field_set.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/base/utf8.h"
#include "common/picture/asked.h"
#include "common/rpc/picture_convert.h"
#include "common/rpc/spec_convert.h"
#include "common/rpc/status_details.h"
#include "engine/api/schedulers.h"

namespace phasor::gateway {
namespace {

using Violations = std::vector<FieldViolation>;

constexpr size_t kMaxIdempotencyKey = 256;
constexpr size_t kMaxQuoted = 64;
constexpr int64_t kMaxDeadlineIn = int64_t{366} * 24 * 3600 * 1000;

// What a client sent, in a message: short and in quotes.
std::string Quoted(const std::string& text) {
  if (text.size() > kMaxQuoted || !IsUtf8Text(text)) return "a name that is none";
  return "'" + text + "'";
}

// Features of later versions. A request that asks for one is refused, never half obeyed.
Status CheckImplemented(const v1::GenerateRequest& request) {
  const std::pair<bool, const char*> asked[] = {
      {!request.webhook().empty(), "webhook"},
      {request.output_format() == v1::JPEG, "output_format JPEG"},
  };
  for (const auto& [present, name] : asked) {
    if (present) return Unimplemented(std::string(name) + " is not implemented yet");
  }
  return OkStatus();
}

// What job::Validate can't see because the spec has no place for it, or because it is in others'
// hands.
void CheckEnvelope(const v1::GenerateRequest& request, Violations* violations) {
  if (!v1::Priority_IsValid(request.priority())) {
    violations->push_back({"priority", "must be LOW, NORMAL, HIGH or URGENT, got number " +
                                           std::to_string(request.priority())});
  }
  if (!v1::OutputFormat_IsValid(request.output_format())) {
    violations->push_back(
        {"output_format", "must be PNG, got number " + std::to_string(request.output_format())});
  }
  if (!v1::Strategy_IsValid(request.strategy())) {
    violations->push_back(
        {"strategy", "must be one of the strategies, AUTO among them, got number " +
                         std::to_string(request.strategy())});
  }
  if (request.deadline_ms() < 0) {
    violations->push_back({"deadline_ms", "must not be negative"});
  }
  if (request.deadline_in_ms() < 0 || request.deadline_in_ms() > kMaxDeadlineIn) {
    violations->push_back(
        {"deadline_in_ms", "must be between 0 and " + std::to_string(kMaxDeadlineIn) +
                               " (366 days), got " + std::to_string(request.deadline_in_ms())});
  } else if (request.deadline_in_ms() > 0 && request.deadline_ms() > 0) {
    violations->push_back({"deadline_in_ms", "and deadline_ms can't both be given"});
  }
  if (request.idempotency_key().size() > kMaxIdempotencyKey) {
    violations->push_back(
        {"idempotency_key", "has " + std::to_string(request.idempotency_key().size()) +
                                " bytes; the limit is " + std::to_string(kMaxIdempotencyKey)});
  }
  if (!request.scheduler().empty() && !engine::FindScheduler(request.scheduler())) {
    violations->push_back({"scheduler", Quoted(request.scheduler()) + " is not known; there are " +
                                            engine::SchedulerAliases()});
  }
  // A field that this version does not know may change what is drawn or what it costs.
  const auto& unknown = request.GetReflection()->GetUnknownFields(request);
  if (!unknown.empty()) {
    violations->push_back({"request", "has field number " +
                                          std::to_string(unknown.field(0).number()) +
                                          ", which this version does not know"});
  }
}

// Seeds travel as int64.
void CheckSeed(const PictureSpec& picture, Violations* violations) {
  const uint64_t others = picture.images > 0 ? static_cast<uint64_t>(picture.images) - 1 : 0;
  const uint64_t most = std::numeric_limits<int64_t>::max();
  if (picture.seed <= most && picture.seed > most - others) {
    violations->push_back({"seed", "plus the number of images exceeds 2^63 - 1"});
  }
}

}  // namespace

StatusOr<job::GenerateSpec> CompleteRequest(const v1::GenerateRequest& request,
                                            const ModelCatalog& catalog,
                                            const std::function<uint64_t()>& draw_seed) {
  RETURN_IF_ERROR(CheckImplemented(request));
  Violations violations;
  const picture::Asked asked = rpc::AskedOf(request, &violations);
  RETURN_IF_ERROR(picture::CheckAvailable(asked));
  CheckEnvelope(request, &violations);
  const config::ModelCard* card = catalog.Find(request.model());
  if (card == nullptr) {
    const std::string what =
        request.model().empty() ? "must be given" : Quoted(request.model()) + " is not known";
    violations.push_back({"model", what + "; there are: " + catalog.Names()});
    return rpc::InvalidFields(violations);
  }
  job::GenerateSpec spec;
  spec.model = card->name;
  spec.picture = picture::Complete(asked, card->defaults, draw_seed);
  spec.preview_every = request.preview_every();
  spec.priority = rpc::FromProto(request.priority()).value_or(job::Priority::kNormal);
  spec.deadline_ms = request.deadline_ms();
  spec.deadline_in_ms = request.deadline_in_ms();
  spec.strategy = rpc::NameOf(request.strategy()).value_or("");
  spec.allow_degradation = request.allow_degradation();
  CheckSeed(spec.picture, &violations);
  for (FieldViolation& violation : job::Validate(spec, *card)) {
    violations.push_back(std::move(violation));
  }
  if (!violations.empty()) return rpc::InvalidFields(violations);
  return spec;
}

std::string RequestFingerprint(const v1::GenerateRequest& request) {
  v1::GenerateRequest body = request;
  body.clear_idempotency_key();
  body.clear_deadline_ms();
  body.clear_deadline_in_ms();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream sink(&bytes);
    google::protobuf::io::CodedOutputStream stream(&sink);
    stream.SetSerializationDeterministic(true);
    body.SerializeToCodedStream(&stream);
  }
  return Sha256Hex(bytes);
}

}  // namespace phasor::gateway
