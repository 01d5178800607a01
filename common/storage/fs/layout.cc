#include "common/storage/fs/layout.h"

#include <algorithm>

#include "common/job/types.h"

namespace phasor::storage {
namespace {

constexpr std::string_view kJobs = "jobs/";
constexpr size_t kShardName = 2;

// The segment behind "jobs/", "" if there is none.
std::string_view JobSegment(std::string_view key) {
  if (key.substr(0, kJobs.size()) != kJobs) return "";
  key.remove_prefix(kJobs.size());
  return key.substr(0, key.find('/'));
}

}  // namespace

Status CheckPlace(std::string_view key) {
  const std::string_view segment = JobSegment(key);
  if (!IsShardName(segment)) return OkStatus();
  return InvalidArgument("jobs/" + std::string(segment) + " is a folder of the store's own");
}

std::string PathOfKey(std::string_view key) {
  const std::string_view id = JobSegment(key);
  if (!job::IsValidJobId(id)) return std::string(key);
  std::string path(kJobs);
  path.append(id.substr(0, kShardName)).append("/");
  path.append(id.substr(kShardName, kShardName)).append("/");
  return path.append(key.substr(kJobs.size()));
}

std::string OldPathOfKey(std::string_view key) {
  return job::IsValidJobId(JobSegment(key)) ? std::string(key) : "";
}

bool IsShardName(std::string_view name) {
  return name.size() == kShardName && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7');
         });
}

bool IsInShard(std::string_view id, std::string_view first, std::string_view second) {
  return job::IsValidJobId(id) && id.substr(0, kShardName) == first &&
         id.substr(kShardName, kShardName) == second;
}

}  // namespace phasor::storage
