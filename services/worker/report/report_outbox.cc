#include "services/worker/report/report_outbox.h"

#include <chrono>
#include <utility>

namespace phasor::worker {

void ReportOutbox::Put(const v1::JobProgress& progress) {
  MutexLock lock(&mu_);
  if (progress_.has_value() && progress_->job_id() != progress.job_id()) previews_.clear();
  if (progress.preview_png().empty()) {
    progress_ = progress;
  } else {
    previews_[progress.preview_image()] = progress;
  }
  news_.Signal();
}

bool ReportOutbox::Readable() const {
  return closed_ || progress_.has_value() || !previews_.empty();
}

std::optional<v1::JobProgress> ReportOutbox::Next(Millis timeout) {
  MutexLock lock(&mu_);
  const SteadyTime until = std::chrono::steady_clock::now() + timeout;
  while (!Readable() && news_.WaitUntil(&mu_, until)) {
  }
  if (closed_) return std::nullopt;
  if (progress_.has_value()) return std::exchange(progress_, std::nullopt);
  if (previews_.empty()) return std::nullopt;
  v1::JobProgress preview = std::move(previews_.begin()->second);
  previews_.erase(previews_.begin());
  return preview;
}

void ReportOutbox::Close() {
  MutexLock lock(&mu_);
  closed_ = true;
  news_.SignalAll();
}

}  // namespace phasor::worker
