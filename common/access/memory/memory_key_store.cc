#include "common/access/memory/memory_key_store.h"

namespace phasor::access {

Status MemoryKeyStore::Add(const KeyRecord& record) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  if (!records_.emplace(record.id, EncodeKeyRecord(record)).second) {
    return AlreadyExists("there is a key of this id");
  }
  ++version_;
  return OkStatus();
}

Status MemoryKeyStore::Remove(const std::string& id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  if (records_.erase(id) == 0) return NotFound("there is no such key");
  ++version_;
  return OkStatus();
}

StatusOr<KeyList> MemoryKeyStore::Read() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  KeyList list{.keys = {}, .version = std::to_string(version_)};
  for (const auto& [id, text] : records_) {
    auto record = DecodeKeyRecord(text);
    record.ok() ? list.keys.push_back(*std::move(record)) : void(++list.damaged);
  }
  return list;
}

StatusOr<std::string> MemoryKeyStore::Version() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  return std::to_string(version_);
}

void MemoryKeyStore::FailWith(const Status& status) {
  MutexLock lock(&mu_);
  failure_ = status;
}

}  // namespace phasor::access
