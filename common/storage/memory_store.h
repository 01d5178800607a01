// A result store inside one process, for tests and trials: nothing survives it. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/storage/result_store.h"

namespace phasor::storage {

class MemoryStore final : public ResultStore {
 public:
  // Modification times are the clock's, which must outlive the store.
  explicit MemoryStore(const Clock& clock = DefaultClock()) : clock_(clock) {}

  Status Put(const std::string& key, std::string_view bytes) override;
  StatusOr<std::string> Get(const std::string& key) override;
  Status Delete(const std::string& key) override;
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor, int limit) override;
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override;
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override;
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override;

 private:
  struct Object {
    std::string bytes;  // a record, too: what is read went through the codec as everywhere else
    int64_t modified_ms = 0;
  };
  static const Clock& DefaultClock();
  StatusOr<TerminalRecord> RecordOf(const job::JobId& id) REQUIRES_LOCK(mu_);

  const Clock& clock_;
  Mutex mu_;
  std::map<std::string, Object> objects_ GUARDED_BY(mu_);
};

}  // namespace phasor::storage
