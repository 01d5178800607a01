// A result store inside one process, for tests and trials: nothing survives it. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

class MemoryStore final : public ResultStore {
 public:
  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  StatusOr<std::vector<std::string>> List(const std::string& prefix) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  StatusOr<TerminalRecord> ReadTerminal(const job::JobId& id) override;

 private:
  Mutex mu_;
  std::map<std::string, std::string> blobs_ GUARDED_BY(mu_);
  // Kept as bytes, so that what is read went through the codec as everywhere else.
  std::map<job::JobId, std::string> records_ GUARDED_BY(mu_);
};

}  // namespace phasor::storage
