// For tests: a model on an engine of its own, of one thread. One at a time, for a process has one
// simulated device: what was loaded before goes first, and its runs must be gone.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/runtime/make_engine.h"

namespace phasor::engine {

class LoadedModel {
 public:
  // `folder` is one of the sources', "/models/phasor-demo".
  void Load(EngineOptions options, const std::string& folder) {
    model_.reset();
    engine_.reset();
    options.threads = 1;
    engine_ = MakeEngine(options, clock_).value();
    model_ = engine_->Load(std::string(std::getenv("PHASOR_SOURCE_DIR")) + folder).value();
  }

  Model* operator->() const { return model_.get(); }

 private:
  SystemClock clock_;
  std::unique_ptr<Engine> engine_;
  std::shared_ptr<Model> model_;
};

// Of the run's first picture, after the units that are left; empty, and a failure of the test,
// where one of them fails.
inline std::vector<uint8_t> FinishedPicture(Run& run) {
  while (run.Next().kind != UnitKind::kDone) {
    if (const Status done = run.Advance(); !done.ok()) {
      ADD_FAILURE() << done;
      return {};
    }
  }
  return run.images().front().rgb;
}

}  // namespace phasor::engine
