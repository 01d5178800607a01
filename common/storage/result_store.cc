#include "common/storage/result_store.h"

#include <algorithm>
#include <utility>

namespace phasor::storage {
namespace {

constexpr size_t kMaxKey = 512;
constexpr size_t kMaxSegment = 200;
constexpr std::string_view kJobs = "jobs/";

bool IsKeyCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '#' || c == '-';
}

bool IsLegalSegment(std::string_view segment) {
  if (segment.empty() || segment.size() > kMaxSegment) return false;
  if (segment == "." || segment == "..") return false;
  if (segment.find(".tmp-") != std::string_view::npos) return false;
  return std::all_of(segment.begin(), segment.end(), IsKeyCharacter);
}

}  // namespace

bool IsLegalKey(std::string_view key) {
  if (key.size() > kMaxKey) return false;
  while (true) {
    const size_t slash = key.find('/');
    if (!IsLegalSegment(key.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

Status CheckKey(std::string_view key) {
  if (IsLegalKey(key)) return OkStatus();
  return InvalidArgument("'" + std::string(key.substr(0, 100)) + "' is no legal key of the store");
}

StatusOr<std::vector<std::string>> ListKeys(ResultStore& store, const std::string& prefix) {
  std::vector<std::string> keys;
  std::string cursor;
  do {
    ASSIGN_OR_RETURN(ListPage page, store.List(prefix, cursor, kMaxListPage));
    for (StoredObject& object : page.objects) keys.push_back(std::move(object.key));
    cursor = std::move(page.next);
  } while (!cursor.empty());
  return keys;
}

bool MayHaveHappened(const Status& status) {
  return !status.ok() && status.code() != StatusCode::kResourceExhausted &&
         status.code() != StatusCode::kInvalidArgument;
}

Status CheckList(const std::string& prefix, int limit) {
  RETURN_IF_ERROR(CheckKey(prefix));
  if (limit >= 1 && limit <= kMaxListPage) return OkStatus();
  return InvalidArgument("a page of " + std::to_string(limit) + " keys; it must be 1 to " +
                         std::to_string(kMaxListPage));
}

Status CheckPut(const std::string& key) {
  if (key == kIdentityKey) {
    return InvalidArgument("the store's identity is created once and never overwritten");
  }
  return CheckCreateOnce(key);
}

Status CheckCreateOnce(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  const std::optional<JobObject> object = ParseJobKey(key);
  if (!object || object->kind != ObjectKind::kTerminal) return OkStatus();
  return InvalidArgument(key + " is a terminal record, which is created and never overwritten");
}

std::optional<JobObject> ParseJobKey(std::string_view key) {
  if (key.substr(0, kJobs.size()) != kJobs) return std::nullopt;
  key.remove_prefix(kJobs.size());
  const size_t slash = key.find('/');
  if (slash == std::string_view::npos || !job::IsValidJobId(key.substr(0, slash))) {
    return std::nullopt;
  }
  JobObject object{job::JobId(key.substr(0, slash))};
  const std::string_view rest = key.substr(slash + 1);
  if (rest == "terminal") {
    object.kind = ObjectKind::kTerminal;
  } else if (rest.substr(0, 2) == "r/") {
    object.kind = ObjectKind::kBlob;
  } else if (rest.substr(0, 2) == "c/") {
    object.kind = ObjectKind::kCheckpoint;
  }
  return object;
}

std::string BlobKey(const job::JobId& id, int64_t epoch, const std::string& nonce, int image) {
  return "jobs/" + id + "/r/" + std::to_string(epoch) + "-" + nonce + "-" + std::to_string(image) +
         ".png";
}

std::string CheckpointKey(const job::JobId& id, int64_t epoch, int step) {
  return "jobs/" + id + "/c/" + std::to_string(epoch) + "-" + std::to_string(step);
}

std::string TerminalKey(const job::JobId& id) { return "jobs/" + id + "/terminal"; }

}  // namespace phasor::storage
