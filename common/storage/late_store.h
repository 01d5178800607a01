// A result store that was away when the process started: each call looks whether it is there by
// now, and is UNAVAILABLE with the reason until it is. From then on it is that store. What turns
// out to be wrong with it (FAILED_PRECONDITION ...) is every call's answer until it has been
// mended. Thread-safe; while the store is away, calls wait for one another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

class LateStore final : public ResultStore {
 public:
  using Opener = std::function<StatusOr<std::unique_ptr<ResultStore>>()>;
  explicit LateStore(Opener open) : open_(std::move(open)) {}

  Status Put(const std::string& key, std::string_view bytes) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->Put(key, bytes);
  }
  StatusOr<std::string> Get(const std::string& key) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->Get(key);
  }
  Status Delete(const std::string& key) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->Delete(key);
  }
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor,
                          int limit) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->List(prefix, cursor, limit);
  }
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->CreateTerminal(record);
  }
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override {
    const StatusOr<ResultStore*> store = Opened();
    if (store.ok()) return (*store)->ReadTerminals(ids);
    return std::vector<StatusOr<TerminalRecord>>(ids.size(), store.status());
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    ASSIGN_OR_RETURN(ResultStore* const store, Opened());
    return store->CreateOnce(key, bytes);
  }

 private:
  StatusOr<ResultStore*> Opened() {
    MutexLock lock(&mu_);
    if (store_ == nullptr) {
      ASSIGN_OR_RETURN(store_, open_());
    }
    return store_.get();
  }

  const Opener open_;
  Mutex mu_;
  std::unique_ptr<ResultStore> store_ GUARDED_BY(mu_);
};

}  // namespace phasor::storage
