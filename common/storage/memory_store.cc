#include "common/storage/memory_store.h"

#include "common/storage/record_codec.h"

namespace phasor::storage {

Status MemoryStore::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckKey(key));
  MutexLock lock(&mu_);
  blobs_[key] = std::string(bytes);
  return OkStatus();
}

StatusOr<std::string> MemoryStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  MutexLock lock(&mu_);
  const auto blob = blobs_.find(key);
  if (blob == blobs_.end()) return NotFound("no blob " + key);
  return blob->second;
}

Status MemoryStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  MutexLock lock(&mu_);
  blobs_.erase(key);
  return OkStatus();
}

StatusOr<std::vector<std::string>> MemoryStore::List(const std::string& prefix) {
  RETURN_IF_ERROR(CheckKey(prefix));
  const std::string start = prefix + "/";
  MutexLock lock(&mu_);
  std::vector<std::string> keys;
  for (auto blob = blobs_.lower_bound(start); blob != blobs_.end(); ++blob) {
    if (blob->first.compare(0, start.size(), start) != 0) break;
    keys.push_back(blob->first);
  }
  return keys;
}

StatusOr<TerminalRecord> MemoryStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(std::string bytes, EncodeRecord(record));
  MutexLock lock(&mu_);
  return DecodeRecord(records_.emplace(record.id, std::move(bytes)).first->second);
}

StatusOr<TerminalRecord> MemoryStore::ReadTerminal(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  MutexLock lock(&mu_);
  const auto record = records_.find(id);
  if (record == records_.end()) return NotFound("no terminal record of job " + id);
  return DecodeRecord(record->second);
}

}  // namespace phasor::storage
