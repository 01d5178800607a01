#include "services/worker/cordon.h"

#include <algorithm>

namespace phasor::worker {

void Cordon::Succeeded() {
  failed_.clear();
  until_.reset();
  cool_down_ = config_.cool_down;
}

void Cordon::Failed(const std::string& job, job::ErrorClass error, SteadyTime now) {
  if (!job::BlamesNode(error)) return;
  if (until_.has_value()) {
    cool_down_ = std::min(2 * cool_down_, config_.longest);
    until_ = now + cool_down_;
    return;
  }
  failed_.insert(job);
  if (static_cast<int>(failed_.size()) < config_.failures) return;
  failed_.clear();
  until_ = now + cool_down_;
}

}  // namespace phasor::worker
