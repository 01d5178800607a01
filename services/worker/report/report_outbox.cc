#include "services/worker/report/report_outbox.h"

#include <chrono>
#include <utility>

namespace phasor::worker {
namespace {

constexpr size_t kMaxAnswers = 256;

}  // namespace

void ReportOutbox::Put(const v1::OrderDone& done) {
  MutexLock lock(&mu_);
  if (answers_.size() < kMaxAnswers) answers_.push_back(done);
  news_.Signal();
}

std::optional<v1::OrderDone> ReportOutbox::NextAnswer() {
  MutexLock lock(&mu_);
  if (answers_.empty()) return std::nullopt;
  v1::OrderDone answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

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
  return closed_ || !answers_.empty() || progress_.has_value() || !previews_.empty();
}

std::optional<v1::JobProgress> ReportOutbox::Next(Millis timeout) {
  MutexLock lock(&mu_);
  const SteadyTime until = std::chrono::steady_clock::now() + timeout;
  while (!Readable() && news_.WaitUntil(&mu_, until)) {
  }
  if (closed_ || !answers_.empty()) return std::nullopt;
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
