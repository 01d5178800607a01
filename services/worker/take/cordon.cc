#include "services/worker/take/cordon.h"

#include <algorithm>

namespace phasor::worker {
namespace {

constexpr Millis kShortestPause{1'000};

}  // namespace

void Cordon::Succeeded() {
  failed_.clear();
  cleared_ = 0;
  test_at_.reset();
  cool_down_ = config_.cool_down;
}

void Cordon::Failed(const std::string& job, job::ErrorClass error, SteadyTime now) {
  if (!job::BlamesNode(error) || IsClosed()) return;
  failed_.insert(job);
  if (static_cast<int>(failed_.size()) < config_.failures) return;
  failed_.clear();
  // At once the first time. Where the tests keep coming out and the jobs do not, whoever is to
  // blame gets fewer of them.
  const Millis pause = cleared_ == 0 ? Millis(0)
                                     : std::min(kShortestPause * (1 << std::min(cleared_ - 1, 16)),
                                                config_.longest_pause);
  test_at_ = now + pause;
}

void Cordon::Tested(bool sound, SteadyTime now) {
  if (sound) {
    if (!IsClosed()) return;
    ++cleared_;
    test_at_.reset();
    cool_down_ = config_.cool_down;
    return;
  }
  test_at_ = now + cool_down_;
  cool_down_ = std::min(2 * cool_down_, config_.longest);
}

}  // namespace phasor::worker
