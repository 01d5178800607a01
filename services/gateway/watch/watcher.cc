#include "services/gateway/watch/watcher.h"

#include <utility>

#include "common/rpc/spec_convert.h"

namespace phasor::gateway {

Watcher::Watcher(job::JobId id, Options options)
    : id_(std::move(id)), options_(std::move(options)), begun_(options_.accepted) {}

void Watcher::OnEvent(const queue::Event& event) {
  bool news = false;
  {
    MutexLock lock(&mu_);
    if (!ended_) news = StoreEvent(event);
  }
  if (news) options_.wake();
}

void Watcher::OnJob(const v1::Job& job) {
  bool news = false;
  {
    MutexLock lock(&mu_);
    if (!ended_) news = StoreJob(job);
  }
  if (news) options_.wake();
}

void Watcher::OnEnd(const Status& status) {
  {
    MutexLock lock(&mu_);
    if (ended_) return;
    ended_ = true;
    end_ = status;
  }
  options_.wake();
}

std::optional<Watcher::Item> Watcher::Next() {
  MutexLock lock(&mu_);
  if (job_) {
    begun_ = true;
    return Item(*std::exchange(job_, std::nullopt));
  }
  if (end_ && !begun_) return Item(*std::exchange(end_, std::nullopt));
  if (!begun_) return std::nullopt;
  if (progress_) return Item(*std::exchange(progress_, std::nullopt));
  if (!previews_.empty()) {
    v1::Preview preview = std::move(previews_.extract(previews_.begin()).mapped());
    preview_bytes_ -= preview.png().size();
    return Item(std::move(preview));
  }
  if (end_) return Item(*std::exchange(end_, std::nullopt));
  return std::nullopt;
}

bool Watcher::StoreEvent(const queue::Event& event) {
  // Of an owner that has been superseded.
  if (event.epoch < epoch_) return false;
  epoch_ = event.epoch;
  if (event.version > 0 || job::IsTerminal(event.state)) return false;
  if (!event.preview.empty()) return options_.previews && StorePreview(event);
  v1::Progress progress;
  progress.set_state(rpc::ToProto(event.state, event.phase));
  progress.set_step(event.step);
  progress.set_steps(event.steps);
  progress.set_seconds_left(event.seconds_left);
  progress.set_queue_position(-1);
  progress.set_worker(event.worker);
  progress_ = std::move(progress);
  return true;
}

bool Watcher::StorePreview(const queue::Event& event) {
  const auto found = previews_.find(event.preview_image);
  const size_t replaced = found == previews_.end() ? 0 : found->second.png().size();
  const size_t bytes = preview_bytes_ - replaced + event.preview.size();
  if (bytes > kMaxPreviewBytes) return false;
  if (found == previews_.end() && previews_.size() >= kMaxPreviews) return false;
  preview_bytes_ = bytes;
  v1::Preview& preview = previews_[event.preview_image];
  preview.set_image_index(event.preview_image);
  preview.set_step(event.step);
  preview.set_png(event.preview);
  return true;
}

bool Watcher::StoreJob(const v1::Job& job) {
  if (rpc::IsTerminal(job.state())) {
    job_ = job;
    progress_.reset();
    previews_.clear();
    preview_bytes_ = 0;
    end_ = OkStatus();
    ended_ = true;
    return true;
  }
  if (job.version() > version_) {
    version_ = job.version();
    position_ = job.queue_position();
    job_ = job;
    // What was told of an owner does not hold for a job that has none.
    if (job.state() == v1::QUEUED || job.state() == v1::RETRY_PENDING) progress_.reset();
    return true;
  }
  if (job.version() < version_ || job.queue_position() == position_) return false;
  position_ = job.queue_position();
  v1::Progress progress;
  progress.set_state(job.state());
  progress.set_step(job.step());
  progress.set_steps(job.steps());
  progress.set_queue_position(position_);
  progress_ = std::move(progress);
  return true;
}

}  // namespace phasor::gateway
