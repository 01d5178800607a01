// Whether the worker takes a job now, and if not, why: it was told to take no more, it doubts
// itself, the host's memory is short, or it leaves a job that it gave back to others for a moment.
//
// Thread-safe: the executor asks before each take and tells how jobs ended; orders come from
// threads of the report streams. References outlive it.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "services/worker/cordon.h"

namespace phasor::worker {

// Why no job is taken, the lasting reasons first.
enum class Closed { kOrdered, kCordoned, kMemory, kResting };
inline constexpr std::array<Closed, 4> kClosedReasons = {Closed::kOrdered, Closed::kCordoned,
                                                         Closed::kMemory, Closed::kResting};

std::string_view ToString(Closed closed);  // "ordered"

class Intake {
 public:
  struct Config {
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

  // The job in hand has ended. `failed`: why it did not come out; nullopt: it came out, or was
  // given back or lost without saying anything about the worker (`came_out` false).
  void JobEnded(const std::string& job, bool came_out, std::optional<job::ErrorClass> failed);

  // nullopt: take one.
  std::optional<Closed> Look();

 private:
  const Config config_;
  const Clock& clock_;
  const std::function<double()> memory_percent_;

  Mutex mu_;
  bool ordered_ GUARDED_BY(mu_) = false;
  Cordon cordon_ GUARDED_BY(mu_);
  std::string rest_after_ GUARDED_BY(mu_);
  Millis rest_ GUARDED_BY(mu_){0};
  SteadyTime rest_until_ GUARDED_BY(mu_);
};

}  // namespace phasor::worker
