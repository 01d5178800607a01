#include "common/storage/record_codec.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace phasor::storage {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 2;
// The oldest reader that gets everything right.
constexpr int kReadableBy = 1;
constexpr size_t kMaxImages = 1024;

// `details` and reasons are bytes, JSON is UTF-8: hexadecimal keeps every byte.
std::string ToHex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char c : bytes) {
    hex.push_back(kDigits[c >> 4]);
    hex.push_back(kDigits[c & 15]);
  }
  return hex;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

StatusOr<std::string> FromHex(const std::string& hex) {
  if (hex.size() % 2 != 0) return DataLoss("record: details has an odd length");
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i < hex.size(); i += 2) {
    const int high = HexDigit(hex[i]);
    const int low = HexDigit(hex[i + 1]);
    if (high < 0 || low < 0) return DataLoss("record: details is not hexadecimal");
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

Json ImageToJson(const ResultImage& image) {
  return {{"blob", image.blob}, {"sha256", image.sha256}, {"bytes", image.bytes},
          {"seed", image.seed}, {"width", image.width},   {"height", image.height}};
}

Status ReadField(const Json& object, const char* name, std::string* value) {
  const auto field = object.find(name);
  if (field == object.end() || !field->is_string()) {
    return DataLoss(std::string("record: ") + name + " is missing or no string");
  }
  *value = field->get<std::string>();
  return OkStatus();
}

template <typename Integer>
Status ReadField(const Json& object, const char* name, Integer* value) {
  const auto field = object.find(name);
  const std::string problem = std::string("record: ") + name + " is missing or out of range";
  if (field == object.end() || !field->is_number_integer()) return DataLoss(problem);
  if (field->is_number_unsigned()) {
    const auto number = field->get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<Integer>::max())) {
      return DataLoss(problem);
    }
    *value = static_cast<Integer>(number);
    return OkStatus();
  }
  const auto number = field->get<int64_t>();
  if (std::is_unsigned_v<Integer> ||
      number < static_cast<int64_t>(std::numeric_limits<Integer>::min())) {
    return DataLoss(problem);
  }
  *value = static_cast<Integer>(number);
  return OkStatus();
}

StatusOr<ResultImage> ImageFromJson(const Json& object) {
  if (!object.is_object()) return DataLoss("record: an image is no object");
  ResultImage image;
  RETURN_IF_ERROR(ReadField(object, "blob", &image.blob));
  RETURN_IF_ERROR(ReadField(object, "sha256", &image.sha256));
  RETURN_IF_ERROR(ReadField(object, "bytes", &image.bytes));
  RETURN_IF_ERROR(ReadField(object, "seed", &image.seed));
  RETURN_IF_ERROR(ReadField(object, "width", &image.width));
  RETURN_IF_ERROR(ReadField(object, "height", &image.height));
  if (!IsLegalKey(image.blob)) return DataLoss("record: blob is no legal key");
  return image;
}

Status ReadImages(const Json& object, std::vector<ResultImage>* images) {
  const auto list = object.find("images");
  if (list == object.end() || !list->is_array() || list->size() > kMaxImages) {
    return DataLoss("record: images is missing, no list or longer than 1024");
  }
  for (const Json& entry : *list) {
    ASSIGN_OR_RETURN(ResultImage image, ImageFromJson(entry));
    images->push_back(std::move(image));
  }
  return OkStatus();
}

// Of a record that this reader understands.
StatusOr<int> ReadVersion(const Json& object) {
  int version = 0;
  RETURN_IF_ERROR(ReadField(object, "version", &version));
  int readable_by = 1;
  if (version >= 2) RETURN_IF_ERROR(ReadField(object, "readable_by", &readable_by));
  if (version >= 1 && readable_by >= 1 && readable_by <= kVersion) return version;
  return DataLoss("record: version " + std::to_string(version) + " needs a reader of version " +
                  std::to_string(readable_by) + ", this is " + std::to_string(kVersion));
}

Status ReadSecondVersion(const Json& object, TerminalRecord* record) {
  RETURN_IF_ERROR(ReadField(object, "tenant", &record->tenant));
  RETURN_IF_ERROR(ReadField(object, "model", &record->model));
  RETURN_IF_ERROR(ReadField(object, "accepted_ms", &record->accepted_ms));
  return ReadField(object, "started_ms", &record->started_ms);
}

std::string LaterFields(const Json& object) {
  static constexpr std::array kKnown = {"version", "readable_by", "id",      "state",
                                        "reason",  "code",        "epoch",   "nonce",
                                        "worker",  "tenant",      "model",   "accepted_ms",
                                        "images",  "started_ms",  "details", "finished_ms"};
  Json later = object;
  for (const char* name : kKnown) later.erase(name);
  if (later.empty()) return "";
  return later.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Status CheckRecord(const TerminalRecord& record) {
  if (!job::IsValidJobId(record.id)) return InvalidArgument("record: id is no job id");
  if (!job::IsTerminal(record.state)) return InvalidArgument("record: state is not terminal");
  if (record.images.size() > kMaxImages) {
    return InvalidArgument("record: more than 1024 images");
  }
  for (const ResultImage& image : record.images) RETURN_IF_ERROR(CheckKey(image.blob));
  return OkStatus();
}

}  // namespace

StatusOr<std::string> EncodeRecord(const TerminalRecord& record) {
  RETURN_IF_ERROR(CheckRecord(record));
  Json images = Json::array();
  for (const ResultImage& image : record.images) images.push_back(ImageToJson(image));
  const Json object = {{"version", kVersion},
                       {"readable_by", kReadableBy},
                       {"id", record.id},
                       {"state", std::string(job::ToString(record.state))},
                       {"reason", record.reason},
                       {"code", record.code},
                       {"epoch", record.epoch},
                       {"nonce", record.nonce},
                       {"worker", record.worker},
                       {"tenant", record.tenant},
                       {"model", record.model},
                       {"accepted_ms", record.accepted_ms},
                       {"started_ms", record.started_ms},
                       {"finished_ms", record.finished_ms},
                       {"images", std::move(images)},
                       {"details", ToHex(record.details)}};
  // Bytes that are no UTF-8 in a reason become U+FFFD: a sentence, not data.
  std::string bytes = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (bytes.size() > kMaxRecordBytes) {
    return InvalidArgument("record: " + std::to_string(bytes.size()) + " bytes; the limit is " +
                           std::to_string(kMaxRecordBytes));
  }
  return bytes;
}

StatusOr<TerminalRecord> DecodeRecord(std::string_view bytes) {
  if (bytes.size() > kMaxRecordBytes) return DataLoss("record: too large");
  // Depth is bounded before parsing: the parser's own values are freed recursively.
  int depth = 0;
  int deepest = 0;
  for (const char c : bytes) {
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  if (deepest > 64) return DataLoss("record: nested too deep");
  const Json object = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (object.is_discarded() || !object.is_object()) return DataLoss("record: no JSON object");

  ASSIGN_OR_RETURN(const int version, ReadVersion(object));
  TerminalRecord record;
  std::string state;
  std::string details;
  RETURN_IF_ERROR(ReadField(object, "id", &record.id));
  RETURN_IF_ERROR(ReadField(object, "state", &state));
  RETURN_IF_ERROR(ReadField(object, "reason", &record.reason));
  RETURN_IF_ERROR(ReadField(object, "code", &record.code));
  RETURN_IF_ERROR(ReadField(object, "epoch", &record.epoch));
  RETURN_IF_ERROR(ReadField(object, "nonce", &record.nonce));
  RETURN_IF_ERROR(ReadField(object, "worker", &record.worker));
  RETURN_IF_ERROR(ReadField(object, "finished_ms", &record.finished_ms));
  RETURN_IF_ERROR(ReadField(object, "details", &details));
  RETURN_IF_ERROR(ReadImages(object, &record.images));
  if (version >= 2) RETURN_IF_ERROR(ReadSecondVersion(object, &record));
  if (version > kVersion) record.later_fields = LaterFields(object);
  ASSIGN_OR_RETURN(record.details, FromHex(details));
  const std::optional<job::State> parsed = job::ParseState(state);
  if (!parsed || !job::IsTerminal(*parsed)) return DataLoss("record: state is not terminal");
  record.state = *parsed;
  if (!job::IsValidJobId(record.id)) return DataLoss("record: id is no job id");
  return record;
}

}  // namespace phasor::storage
