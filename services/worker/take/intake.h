// Whether the worker takes a job now, of which of its models, and if not, why: it was told to take
// no more, it doubts itself, the host's memory is short, or it leaves a job that it gave back to
// others for a moment.
//
// A job for which the memory did not suffice here is left to others for a moment once it may be
// tried again, so that a larger worker that is free gets it first.
//
// Doubts are about one model (its files may be broken here) until a test shows that the store is
// not reached: then they are about the worker. Only while all models are doubted none is taken at
// all.
//
// Thread-safe: the executor asks before each take and tells how jobs and tests ended; orders come
// from threads of the report streams. References outlive it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/closed.h"
#include "services/worker/take/cordon.h"

namespace phasor::worker {

// How the worker's test of itself ended.
enum class TestResult { kSound, kModelFails, kStoreFails };

// What the end of a job says about the worker.
struct JobOutcome {
  std::string job;
  std::string model;
  bool came_out = false;
  // It had failed or lost a worker before it came here.
  bool failed_before = false;
  // Why it did not come out; nullopt: it came out, or was given back or lost without saying
  // anything.
  std::optional<job::ErrorClass> failed = {};
  Millis retry_in{0};  // from when on it may be tried again
  bool others_in_hand = false;
};

class Intake {
 public:
  struct Config {
    std::vector<std::string> models = {};  // that the worker can run
    CordonConfig cordon = {};
    double max_memory_percent = 95;  // of the host; 100: whatever it says
  };
  // `memory_percent`: how full the host's memory is now.
  Intake(Config config, const Clock& clock, std::function<double()> memory_percent);

  // Takes no job any more, for good.
  void Close();
  // Takes none for so long, at most a minute, after `job` is given back; nothing if the job in hand
  // is another one by then or comes out.
  void RestAfter(const std::string& job, Millis rest);

  void JobEnded(const JobOutcome& outcome);

  // The model that the worker is to test itself with now; nullopt: no test is due.
  std::optional<std::string> DueTest();
  void Tested(const std::string& model, TestResult result);

  // nullopt: take one.
  std::optional<Closed> Look();
  // Jobs of this model may be taken.
  bool Offers(const std::string& model) const;

 private:
  bool AllDoubted() const REQUIRES_LOCK(mu_);
  bool IsLeft(const std::string& model, SteadyTime now) const REQUIRES_LOCK(mu_);

  struct Window {
    SteadyTime from;
    SteadyTime until;
  };

  const Config config_;
  const Clock& clock_;
  const std::function<double()> memory_percent_;

  mutable Mutex mu_;
  bool ordered_ GUARDED_BY(mu_) = false;
  Cordon worker_ GUARDED_BY(mu_);  // closed by its store
  std::map<std::string, Cordon> by_model_ GUARDED_BY(mu_);
  std::map<std::string, Window> left_ GUARDED_BY(mu_);  // by model: to larger workers
  std::string rest_after_ GUARDED_BY(mu_);
  Millis rest_ GUARDED_BY(mu_){0};
  SteadyTime rest_until_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
