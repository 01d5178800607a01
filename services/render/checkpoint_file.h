// The checkpoint of one render on disk: written as often as costs at most 1 % of the run, and once
// more when the run is stopped. A full disk costs the checkpoint, never the run.
// One thread.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "engine/api/engine.h"
#include "engine/checkpoint/checkpoint_pace.h"

namespace phasor::render {

class CheckpointFile {
 public:
  // `directory` exists; the file is named after the run's fingerprint. `clock` outlives this.
  CheckpointFile(const std::string& directory, const engine::Run& run, const Clock& clock);

  // After a step: writes if it is time to. Errors are returned for a warning, once.
  Status AfterStep(const engine::Run& run);

  // Writes now. FAILED_PRECONDITION if there is nothing to write and nothing was written before.
  Status Write(const engine::Run& run);

  // Removes what this object wrote: the run is done.
  void Remove();

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const Clock& clock_;
  engine::CheckpointPace pace_;
  SteadyTime last_look_;
  bool written_ = false;
  bool failed_ = false;
};

}  // namespace phasor::render
