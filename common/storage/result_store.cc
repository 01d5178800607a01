#include "common/storage/result_store.h"

#include <algorithm>

namespace phasor::storage {
namespace {

constexpr size_t kMaxKey = 512;
constexpr size_t kMaxSegment = 200;

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

std::string BlobKey(const job::JobId& id, int64_t epoch, const std::string& nonce, int image) {
  return "jobs/" + id + "/r/" + std::to_string(epoch) + "-" + nonce + "-" + std::to_string(image) +
         ".png";
}

std::string CheckpointKey(const job::JobId& id, int64_t epoch, int step) {
  return "jobs/" + id + "/c/" + std::to_string(epoch) + "-" + std::to_string(step);
}

std::string TerminalKey(const job::JobId& id) { return "jobs/" + id + "/terminal"; }

}  // namespace phasor::storage
