// What to do about the processes of a fleet, as a state machine without processes: when to start
// one, when to start it again, in which order to end all. The caller carries the actions out and
// reports what happens.
//
//   waiting -> running -> waiting (died: back-off) ... -> stopping (asked to end) -> ended
//
// A stage starts when the one below it is ready; they stop the other way round, each after the one
// above has ended. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"

namespace phasor::cli {

struct RestartConfig {
  Millis shortest{500};  // before the first restart, doubled with each
  Millis longest{30'000};
  Millis healthy{60'000};  // a process that ran so long begins again at `shortest`
};

class Supervisor {
 public:
  struct Child {
    std::string name;
    int stage = 0;
    Millis stop_grace{5'000};  // between asking and killing
  };
  enum class Deed { kStart, kTerminate, kKill };
  struct Action {
    Deed deed;
    size_t child;
    bool operator==(const Action&) const = default;
  };

  Supervisor(std::vector<Child> children, RestartConfig config);

  // What is to be done now. Each action is given once.
  std::vector<Action> Tick(SteadyTime now);

  void Started(size_t child, SteadyTime now);
  // It ended, or could not be started.
  void Exited(size_t child, SteadyTime now);
  // All of the stage serve: the next one may start.
  void StageReady(int stage);
  void Stop();
  // Asks those that take their time to hurry: everything left is killed.
  void StopNow();

  // The stage that is being started; one above the last when all are ready.
  int starting_stage() const { return starting_; }
  // A process that ended by itself before the fleet was ready: the fleet can't start.
  std::optional<size_t> failed() const { return failed_; }
  bool stopping() const { return stopping_; }
  // Stop was called and nothing runs any more.
  bool done() const;
  const std::string& name(size_t child) const { return slots_[child].child.name; }

 private:
  enum class State { kWaiting, kRunning, kTerminating, kKilling, kEnded };
  struct Slot {
    Child child;
    State state = State::kWaiting;
    SteadyTime since;      // started, or asked to end
    SteadyTime due;        // of the next start
    int restarts = 0;      // in a row
    bool ordered = false;  // the start was given and not yet reported
  };
  bool IsUp(const Slot& slot) const;
  int HighestStageUp() const;
  void TickStop(SteadyTime now, std::vector<Action>* actions);

  std::vector<Slot> slots_;
  const RestartConfig config_;
  int last_stage_ = 0;
  int starting_ = 0;
  bool stopping_ = false;
  bool hurry_ = false;
  std::optional<size_t> failed_;
};

}  // namespace phasor::cli
