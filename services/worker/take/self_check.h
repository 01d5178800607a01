// What a worker does when it doubts itself: it puts a few bytes into the store and reads them back,
// then draws a small picture with the model in question, as a job would. Nothing is published and
// the queue hears nothing of it. One thread, the executor; references outlive it.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/storage/result_store.h"
#include "services/worker/run/model_cache.h"
#include "services/worker/take/intake.h"

namespace phasor::worker {

class SelfCheck {
 public:
  SelfCheck(storage::ResultStore& store, ModelCache& models) : store_(store), models_(models) {}

  struct Outcome {
    TestResult result = TestResult::kSound;
    Status status;  // why it is not sound
  };
  Outcome Run(const std::string& model);

 private:
  Status TryStore();
  Status TryModel(const std::string& model);

  storage::ResultStore& store_;
  ModelCache& models_;
};

}  // namespace phasor::worker
