// What a queue stands on, as a port: whether it can carry one, and what all processes of a fleet
// have to agree about. Implemented by RedisFoundation, and in memory here for tests and single
// processes. Thread-safe; blocks for at most the adapter's time limit.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::queue {

// What a check found out about a place that will do.
struct Footing {
  std::string job_loss;  // a sentence: why accepted jobs may be lost there; empty: none is
  // What the place is now: another one once it may have come back from older data. Empty: unknown.
  std::string instance = {};
};

class Foundation {
 public:
  virtual ~Foundation() = default;
  // FAILED_PRECONDITION says what is wrong and how to mend it; UNAVAILABLE: it can't be asked now.
  virtual StatusOr<Footing> Check() = 0;
  // What stands for the fact. If nothing did, `value` does from now on, unless it is empty.
  virtual StatusOr<std::string> Agree(const std::string& fact, const std::string& value) = 0;
  // Grows when the queue may stand elsewhere than before: check again.
  virtual int64_t connections() const = 0;
};

class MemoryFoundation final : public Foundation {
 public:
  StatusOr<Footing> Check() override { return Footing{}; }
  StatusOr<std::string> Agree(const std::string& fact, const std::string& value) override {
    MutexLock lock(&mu_);
    const auto found = facts_.find(fact);
    if (found != facts_.end()) return found->second;
    if (!value.empty()) facts_[fact] = value;
    return value;
  }
  int64_t connections() const override { return 1; }

 private:
  Mutex mu_;
  std::map<std::string, std::string> facts_ GUARDED_BY(mu_);
};

}  // namespace phasor::queue
