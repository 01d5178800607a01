// Keys in this process, for tests. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/access/key_store.h"
#include "common/base/mutex.h"

namespace phasor::access {

class MemoryKeyStore final : public KeyStore {
 public:
  Status Add(const KeyRecord& record) override;
  Status Remove(const std::string& id) override;
  StatusOr<KeyList> Read() override;
  StatusOr<std::string> Version() override;
  StatusOr<std::vector<KeyChange>> TakeChanges() override;

  // From now on every call fails with it; OK: they work again.
  void FailWith(const Status& status);

 private:
  Mutex mu_;
  void Note(bool made, const std::string& record) REQUIRES_LOCK(mu_);

  std::map<std::string, std::string> records_ GUARDED_BY(mu_);
  std::vector<KeyChange> changes_ GUARDED_BY(mu_);
  int64_t version_ GUARDED_BY(mu_) = 0;
  Status failure_ GUARDED_BY(mu_);
};

}  // namespace phasor::access
