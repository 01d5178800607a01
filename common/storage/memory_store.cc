#include "common/storage/memory_store.h"

#include "common/storage/record_codec.h"

namespace phasor::storage {

const Clock& MemoryStore::DefaultClock() {
  static const SystemClock clock;
  return clock;
}

Status MemoryStore::Put(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckPut(key));
  MutexLock lock(&mu_);
  objects_[key] = {std::string(bytes), clock_.WallMillis()};
  return OkStatus();
}

StatusOr<std::string> MemoryStore::Get(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  MutexLock lock(&mu_);
  const auto object = objects_.find(key);
  if (object == objects_.end()) return NotFound("no object " + key);
  return object->second.bytes;
}

Status MemoryStore::Delete(const std::string& key) {
  RETURN_IF_ERROR(CheckKey(key));
  MutexLock lock(&mu_);
  objects_.erase(key);
  return OkStatus();
}

StatusOr<ListPage> MemoryStore::List(const std::string& prefix, const std::string& cursor,
                                     int limit) {
  RETURN_IF_ERROR(CheckList(prefix, limit));
  const std::string start = prefix + "/";
  MutexLock lock(&mu_);
  ListPage page;
  auto object = cursor < start ? objects_.lower_bound(start) : objects_.upper_bound(cursor);
  for (; object != objects_.end(); ++object) {
    if (object->first.compare(0, start.size(), start) != 0) break;
    if (page.objects.size() == static_cast<size_t>(limit)) {
      page.next = page.objects.back().key;
      break;
    }
    page.objects.push_back({object->first, object->second.modified_ms});
  }
  return page;
}

StatusOr<TerminalRecord> MemoryStore::CreateTerminal(const TerminalRecord& record) {
  ASSIGN_OR_RETURN(std::string bytes, EncodeRecord(record));
  MutexLock lock(&mu_);
  const Object object{std::move(bytes), clock_.WallMillis()};
  return DecodeRecord(objects_.emplace(TerminalKey(record.id), object).first->second.bytes);
}

std::vector<StatusOr<TerminalRecord>> MemoryStore::ReadTerminals(
    const std::vector<job::JobId>& ids) {
  std::vector<StatusOr<TerminalRecord>> records;
  MutexLock lock(&mu_);
  for (const job::JobId& id : ids) records.push_back(RecordOf(id));
  return records;
}

StatusOr<TerminalRecord> MemoryStore::RecordOf(const job::JobId& id) {
  if (!job::IsValidJobId(id)) return InvalidArgument("id is no job id");
  const auto object = objects_.find(TerminalKey(id));
  if (object == objects_.end()) return NotFound("no terminal record of job " + id);
  return DecodeRecord(object->second.bytes);
}

StatusOr<std::string> MemoryStore::CreateOnce(const std::string& key, std::string_view bytes) {
  RETURN_IF_ERROR(CheckCreateOnce(key));
  MutexLock lock(&mu_);
  const Object object{std::string(bytes), clock_.WallMillis()};
  return objects_.emplace(key, object).first->second.bytes;
}

}  // namespace phasor::storage
