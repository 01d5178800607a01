// A result store that is only touched while a gate is open; else calls are UNAVAILABLE with the
// reason and nothing happens. For a store that may turn out to be another one than the fleet's.
// Thread-safe if the gate is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/storage/result_store.h"

namespace phasor::storage {

class GatedStore final : public ResultStore {
 public:
  // `gate`: OK while it is open. `store` outlives this object.
  GatedStore(ResultStore* store, std::function<Status()> gate)
      : store_(store), gate_(std::move(gate)) {}

  Status Put(const std::string& key, std::string_view bytes) override {
    RETURN_IF_ERROR(Pass());
    return store_->Put(key, bytes);
  }
  StatusOr<std::string> Get(const std::string& key) override {
    RETURN_IF_ERROR(Pass());
    return store_->Get(key);
  }
  Status Delete(const std::string& key) override {
    RETURN_IF_ERROR(Pass());
    return store_->Delete(key);
  }
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor,
                          int limit) override {
    RETURN_IF_ERROR(Pass());
    return store_->List(prefix, cursor, limit);
  }
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override {
    RETURN_IF_ERROR(Pass());
    return store_->CreateTerminal(record);
  }
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override {
    const Status open = Pass();
    if (open.ok()) return store_->ReadTerminals(ids);
    return std::vector<StatusOr<TerminalRecord>>(ids.size(), open);
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    RETURN_IF_ERROR(Pass());
    return store_->CreateOnce(key, bytes);
  }

 private:
  Status Pass() const {
    const Status open = gate_();
    return open.ok() ? open : Unavailable(Message(open));
  }

  ResultStore* const store_;
  const std::function<Status()> gate_;
};

}  // namespace phasor::storage
