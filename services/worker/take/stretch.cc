#include "services/worker/take/stretch.h"

#include <algorithm>

namespace phasor::worker {

void Stretch::Took(const std::string& model, job::Priority priority, bool left, SteadyTime now) {
  const SteadyTime until = now + LongestWait(config_, priority);
  if (model != model_) {
    model_ = left ? model : "";
    jobs_ = 0;
    until_ = until;
  }
  ++jobs_;
  until_ = std::min(until_, until);
}

std::optional<std::string> Stretch::Only(SteadyTime now) const {
  const bool over = model_.empty() || jobs_ >= config_.jobs || now >= until_;
  return over ? std::nullopt : std::optional(model_);
}

}  // namespace phasor::worker
