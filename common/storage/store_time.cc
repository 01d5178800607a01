#include "common/storage/store_time.h"

#include <string>

#include "common/base/hash.h"

namespace phasor::storage {
namespace {

constexpr char kFolder[] = "clock";
constexpr int64_t kLeftoverMs = 3'600'000;

}  // namespace

StatusOr<int64_t> StoreTime(ResultStore& store) {
  const std::string key = std::string(kFolder) + "/" + RandomToken();
  RETURN_IF_ERROR(store.Put(key, "now"));
  const StatusOr<ListPage> page = store.List(kFolder, "", kMaxListPage);
  RETURN_IF_ERROR(store.Delete(key));
  RETURN_IF_ERROR(page.status());
  int64_t now = 0;
  for (const StoredObject& object : page->objects) {
    if (object.key == key) now = object.modified_ms;
  }
  if (now == 0) return Unavailable("the store does not list what was put for its time");
  for (const StoredObject& object : page->objects) {
    // Of somebody who died here.
    if (now - object.modified_ms > kLeftoverMs) RETURN_IF_ERROR(store.Delete(object.key));
  }
  return now;
}

}  // namespace phasor::storage
