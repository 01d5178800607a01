// What a worker does when it doubts itself: it puts a few bytes into the store and reads them back,
// then draws a small picture with the model in question, as a job would. Nothing is published and
// the queue hears nothing of it. Its units are watched as a job's are: a node that is broken may
// hang in them. One thread, the executor; references outlive it.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/storage/result_store.h"
#include "services/worker/own_units.h"
#include "services/worker/run/model_cache.h"
#include "services/worker/take/intake.h"
#include "services/worker/unit_pace.h"

namespace phasor::worker {

class SelfCheck {
 public:
  // `stall`: what every unit is granted before it counts as hung.
  SelfCheck(storage::ResultStore& store, ModelCache& models, OwnUnits& units, Millis stall)
      : store_(store), models_(models), units_(units), pace_(stall) {}

  struct Outcome {
    TestResult result = TestResult::kSound;
    Status status;  // why it is not sound
  };
  Outcome Run(const std::string& model);

 private:
  Outcome Try(const std::string& model);
  Status TryStore();
  Status TryModel(const std::string& model);

  storage::ResultStore& store_;
  ModelCache& models_;
  OwnUnits& units_;
  const UnitPace pace_;  // it remembers nothing: no job draws what is drawn here
};

}  // namespace phasor::worker
