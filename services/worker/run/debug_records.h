// A file of JSON for each job that failed here, with all that is needed to play it again: what was
// asked for, what the engine reported, what memory there was. Prompts are left out unless they are
// asked for. The newest so many are kept. A file that can't be written costs a log line. One
// thread, the executor.
#pragma once

#include <string>

#include "common/job/generate_spec.h"
#include "common/job/types.h"
#include "engine/api/engine.h"

namespace phasor::worker {

class DebugRecords {
 public:
  struct Config {
    std::string directory;  // empty: nothing is written
    bool prompts = false;
    size_t most = 100;  // files
  };
  struct Facts {
    std::string job;
    std::string worker;
    std::string failure_class;
    Status status;
    int tries = 0;
    int crashes = 0;
    int64_t now_ms = 0;
    const job::GenerateSpec* spec = nullptr;  // null: it could not be read
    engine::RunReport report = {};
    engine::DeviceReport device = {};
    std::string versions = {};
  };

  explicit DebugRecords(Config config) : config_(std::move(config)) {}

  void Write(const Facts& facts) const;

 private:
  void DropOld() const;

  const Config config_;
};

// The record itself. Pure.
std::string DebugJson(const DebugRecords::Facts& facts, bool prompts);

}  // namespace phasor::worker
