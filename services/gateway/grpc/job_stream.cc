#include "services/gateway/grpc/job_stream.h"

#include "common/rpc/spec_convert.h"

namespace phasor::gateway {
namespace {

// A job on its way, as progress.
v1::Progress ProgressOf(const v1::Job& job) {
  v1::Progress progress;
  progress.set_state(job.state());
  progress.set_step(job.step());
  progress.set_steps(job.steps());
  progress.set_queue_position(job.queue_position());
  progress.set_worker(job.worker());
  return progress;
}

}  // namespace

v1::WatchEvent ToWatchEvent(Watcher::Item item) {
  v1::WatchEvent event;
  if (auto* job = std::get_if<v1::Job>(&item)) *event.mutable_job() = std::move(*job);
  if (auto* progress = std::get_if<v1::Progress>(&item)) {
    *event.mutable_progress() = std::move(*progress);
  }
  if (auto* preview = std::get_if<v1::Preview>(&item)) {
    *event.mutable_preview() = std::move(*preview);
  }
  return event;
}

v1::GenerateEvent ToPictureEvent(v1::ResultChunk chunk) {
  v1::GenerateEvent event;
  *event.mutable_picture() = std::move(chunk);
  return event;
}

v1::GenerateEvent ToGenerateEvent(Watcher::Item item) {
  v1::GenerateEvent event;
  if (auto* job = std::get_if<v1::Job>(&item)) {
    if (rpc::IsTerminal(job->state())) {
      *event.mutable_finished() = std::move(*job);
    } else {
      *event.mutable_progress() = ProgressOf(*job);
    }
  }
  if (auto* progress = std::get_if<v1::Progress>(&item)) {
    *event.mutable_progress() = std::move(*progress);
  }
  if (auto* preview = std::get_if<v1::Preview>(&item)) {
    *event.mutable_preview() = std::move(*preview);
  }
  return event;
}

}  // namespace phasor::gateway
