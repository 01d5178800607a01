#include "common/storage/identity.h"

#include <algorithm>

#include "common/base/hash.h"

namespace phasor::storage {
namespace {

// The object is one line: this, and the id.
constexpr std::string_view kHead = "phasor store ";
constexpr size_t kMaxId = 64;

bool IsId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

StatusOr<std::string> IdOf(std::string_view bytes) {
  const bool framed =
      bytes.size() > kHead.size() && bytes.substr(0, kHead.size()) == kHead && bytes.back() == '\n';
  if (framed) {
    const std::string_view id = bytes.substr(kHead.size(), bytes.size() - kHead.size() - 1);
    if (IsId(id)) return std::string(id);
  }
  return DataLoss(std::string("the store's object '") + kIdentityKey + "' says no identity");
}

}  // namespace

StatusOr<std::string> ReadIdentity(ResultStore& store) {
  ASSIGN_OR_RETURN(const std::string bytes, store.Get(kIdentityKey));
  return IdOf(bytes);
}

StatusOr<std::string> Identify(ResultStore& store, const std::string& remembered) {
  if (remembered.empty()) {
    ASSIGN_OR_RETURN(const std::string bytes,
                     store.CreateOnce(kIdentityKey, std::string(kHead) + RandomToken() + "\n"));
    return IdOf(bytes);
  }
  const StatusOr<std::string> id = ReadIdentity(store);
  if (id.status().code() == StatusCode::kNotFound) {
    return FailedPrecondition("this fleet's result store is " + remembered +
                              ", and this one has no identity: its volume is not mounted, it was "
                              "emptied, or it is another one");
  }
  RETURN_IF_ERROR(id.status());
  if (*id == remembered) return *id;
  return FailedPrecondition("this fleet's result store is " + remembered + ", this one is " + *id +
                            ": it is another one");
}

StatusOr<bool> HasNoJobs(ResultStore& store) {
  std::string cursor;
  do {
    ASSIGN_OR_RETURN(const ListPage page, store.List("jobs", cursor, 1));
    if (!page.objects.empty()) return false;
    cursor = page.next;
  } while (!cursor.empty());
  return true;
}

}  // namespace phasor::storage
