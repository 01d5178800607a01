#include "services/gateway/watch/progress_relay.h"

#include <utility>

namespace phasor::gateway {

ProgressRelay::ProgressRelay(queue::EventChannel* channel, WorkPool* pool)
    : channel_(channel), pool_(pool) {}

void ProgressRelay::Offer(queue::Event event) {
  {
    MutexLock lock(&mu_);
    (event.preview.empty() ? progress_ : preview_) = std::move(event);
    if (publishing_) return;
    publishing_ = true;
  }
  if (pool_->TryPost([self = shared_from_this()] { self->Publish(); })) return;
  MutexLock lock(&mu_);
  publishing_ = false;
}

void ProgressRelay::Publish() {
  for (;;) {
    std::optional<queue::Event> progress;
    std::optional<queue::Event> preview;
    {
      MutexLock lock(&mu_);
      progress.swap(progress_);
      preview.swap(preview_);
      if (!progress && !preview) {
        publishing_ = false;
        return;
      }
    }
    // A lost event costs nothing but freshness.
    if (preview) (void)channel_->Publish(*preview);
    if (progress) (void)channel_->Publish(*progress);
  }
}

}  // namespace phasor::gateway
