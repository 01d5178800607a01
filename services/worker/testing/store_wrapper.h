// A result store that passes everything on; tests override what is to go wrong.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/storage/result_store.h"

namespace phasor::worker {

class StoreWrapper : public storage::ResultStore {
 public:
  // `below` outlives the wrapper.
  explicit StoreWrapper(storage::ResultStore& below) : below_(below) {}

  Status Put(const std::string& key, std::string_view bytes) override {
    return below_.Put(key, bytes);
  }
  StatusOr<std::string> Get(const std::string& key) override { return below_.Get(key); }
  Status Delete(const std::string& key) override { return below_.Delete(key); }
  StatusOr<storage::ListPage> List(const std::string& prefix, const std::string& cursor,
                                   int limit) override {
    return below_.List(prefix, cursor, limit);
  }
  StatusOr<storage::TerminalRecord> CreateTerminal(const storage::TerminalRecord& record) override {
    return below_.CreateTerminal(record);
  }
  std::vector<StatusOr<storage::TerminalRecord>> ReadTerminals(
      const std::vector<job::JobId>& ids) override {
    return below_.ReadTerminals(ids);
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    return below_.CreateOnce(key, bytes);
  }

 protected:
  storage::ResultStore& below_;
};

}  // namespace phasor::worker
