#include "common/access/memory/memory_key_store.h"

#include <utility>

namespace phasor::access {

Status MemoryKeyStore::Add(const KeyRecord& record) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  const auto [added, is_new] = records_.emplace(record.id, EncodeKeyRecord(record));
  if (!is_new) return AlreadyExists("there is a key of this id");
  Note(/*made=*/true, added->second);
  return OkStatus();
}

Status MemoryKeyStore::Remove(const std::string& id) {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  const auto found = records_.find(id);
  if (found == records_.end()) return NotFound("there is no such key");
  Note(/*made=*/false, found->second);
  records_.erase(found);
  return OkStatus();
}

void MemoryKeyStore::Note(bool made, const std::string& record) {
  ++version_;
  const auto key = DecodeKeyRecord(record);
  if (!key.ok()) return;
  changes_.push_back({.made = made,
                      .id = key->id,
                      .name = key->name,
                      .tenant = key->tenant,
                      .roles = ToString(key->roles),
                      .by = "",
                      .at_ms = 0});
}

StatusOr<std::vector<KeyChange>> MemoryKeyStore::TakeChanges() {
  MutexLock lock(&mu_);
  RETURN_IF_ERROR(failure_);
  return std::exchange(changes_, {});
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
