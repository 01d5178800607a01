#include "services/cli/up/supervisor.h"

#include <algorithm>
#include <utility>

namespace phasor::cli {

Supervisor::Supervisor(std::vector<Child> children, RestartConfig config) : config_(config) {
  for (Child& child : children) {
    last_stage_ = std::max(last_stage_, child.stage);
    slots_.push_back({.child = std::move(child), .since = {}, .due = SteadyTime::min()});
  }
}

bool Supervisor::IsUp(const Slot& slot) const {
  return slot.state == State::kRunning || slot.state == State::kTerminating ||
         slot.state == State::kKilling;
}

int Supervisor::HighestStageUp() const {
  int highest = -1;
  for (const Slot& slot : slots_) {
    if (IsUp(slot)) highest = std::max(highest, slot.child.stage);
  }
  return highest;
}

std::vector<Supervisor::Action> Supervisor::Tick(SteadyTime now) {
  std::vector<Action> actions;
  if (stopping_) {
    TickStop(now, &actions);
    return actions;
  }
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    const bool due = slot.state == State::kWaiting && !slot.ordered && now >= slot.due;
    if (!due || slot.child.stage > starting_) continue;
    slot.ordered = true;
    actions.push_back({Deed::kStart, i});
  }
  return actions;
}

void Supervisor::TickStop(SteadyTime now, std::vector<Action>* actions) {
  const int stage = HighestStageUp();
  for (size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    if (!IsUp(slot) || (slot.child.stage < stage && !hurry_)) continue;
    if (slot.state == State::kRunning && !hurry_) {
      slot.state = State::kTerminating;
      slot.since = now;
      actions->push_back({Deed::kTerminate, i});
    } else if (slot.state != State::kKilling &&
               (hurry_ || now - slot.since >= slot.child.stop_grace)) {
      slot.state = State::kKilling;
      actions->push_back({Deed::kKill, i});
    }
  }
}

void Supervisor::Started(size_t child, SteadyTime now) {
  Slot& slot = slots_[child];
  slot.ordered = false;
  slot.state = State::kRunning;
  slot.since = now;
}

void Supervisor::Exited(size_t child, SteadyTime now) {
  Slot& slot = slots_[child];
  if (stopping_) {
    slot.state = State::kEnded;
    return;
  }
  if (starting_ <= last_stage_ && !failed_.has_value()) failed_ = child;
  const bool healthy = slot.state == State::kRunning && now - slot.since >= config_.healthy;
  slot.restarts = healthy ? 0 : slot.restarts;
  const Millis pause = config_.shortest * (int64_t{1} << std::min(slot.restarts, 16));
  slot.due = now + std::min(pause, config_.longest);
  slot.state = State::kWaiting;
  slot.ordered = false;
  ++slot.restarts;
}

void Supervisor::StageReady(int stage) {
  if (stage == starting_) ++starting_;
}

void Supervisor::Stop() {
  stopping_ = true;
  for (Slot& slot : slots_) {
    if (slot.state == State::kWaiting) slot.state = State::kEnded;
  }
}

void Supervisor::StopNow() {
  if (!stopping_) Stop();
  hurry_ = true;
}

bool Supervisor::done() const { return stopping_ && HighestStageUp() < 0; }

}  // namespace phasor::cli
