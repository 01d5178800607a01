#include "services/worker/worker_status.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

namespace phasor::worker {
namespace {

// The resident set of this process in bytes; 0 where /proc does not tell.
int64_t ResidentBytes() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"), &fclose);
  long total = 0, resident = 0;
  if (file == nullptr || std::fscanf(file.get(), "%ld %ld", &total, &resident) != 2) return 0;
  return int64_t{resident} * sysconf(_SC_PAGESIZE);
}

}  // namespace

WorkerStatus::WorkerStatus(WorkerIdentity identity, const Clock& clock)
    : identity_(std::move(identity)), clock_(clock), started_(clock.Steady()) {}

void WorkerStatus::Ready() {
  MutexLock lock(&mu_);
  ready_ = true;
}

void WorkerStatus::Draining() {
  MutexLock lock(&mu_);
  draining_ = true;
}

void WorkerStatus::SetClosed(std::optional<Closed> closed) {
  MutexLock lock(&mu_);
  closed_ = closed;
}

void WorkerStatus::SetQueue(Status status) {
  MutexLock lock(&mu_);
  queue_ = std::move(status);
}

void WorkerStatus::SetCard(Status status) {
  MutexLock lock(&mu_);
  card_ = std::move(status);
}

void WorkerStatus::SetGpu(v1::Gpu gpu) {
  MutexLock lock(&mu_);
  gpu_ = std::move(gpu);
}

void WorkerStatus::Busy(const std::string& job_id) {
  MutexLock lock(&mu_);
  job_id_ = job_id;
}

void WorkerStatus::Idle() {
  MutexLock lock(&mu_);
  job_id_.clear();
  ++jobs_done_;
}

void WorkerStatus::Resident(std::vector<std::string> models) {
  MutexLock lock(&mu_);
  resident_ = std::move(models);
}

void WorkerStatus::SetMemory(v1::WorkerStats memory) {
  MutexLock lock(&mu_);
  memory_ = std::move(memory);
}

Status WorkerStatus::Readiness() const {
  MutexLock lock(&mu_);
  if (draining_) return Unavailable("the worker is draining");
  if (!ready_) return Unavailable("the worker is starting");
  if (!card_.ok()) return card_;
  if (!queue_.ok()) return Unavailable("the queue gives no jobs: " + Message(queue_));
  if (!closed_.has_value()) return OkStatus();
  switch (*closed_) {
    case Closed::kOrdered:
      return Unavailable("the worker was told to take no jobs");
    case Closed::kCordoned:
      return Unavailable(
          "several jobs in a row failed here and the worker's test of itself did not come out yet");
    case Closed::kMemory:
      return Unavailable("the host's memory is short");
    case Closed::kResting:
      break;
  }
  return OkStatus();
}

const char* WorkerStatus::State() const {
  if (draining_) return "draining";
  if (closed_ == Closed::kOrdered) return job_id_.empty() ? "cordoned" : "draining";
  if (!job_id_.empty()) return "busy";
  if (closed_ == Closed::kCordoned) return "cordoned";
  return ready_ ? "idle" : "starting";
}

v1::WorkerStats WorkerStatus::Stats() const {
  MutexLock lock(&mu_);
  v1::WorkerStats stats = memory_;
  stats.set_name(identity_.name);
  stats.set_node(identity_.node);
  stats.set_device(identity_.device);
  if (gpu_) *stats.mutable_gpu() = *gpu_;
  // A device with a bound has memory of its own; any other one the process's.
  if (stats.memory_bound_bytes() > 0) {
    int64_t used = 0;
    for (const v1::MemoryShare& share : stats.memory()) used += share.bytes();
    stats.set_memory_total_bytes(stats.memory_bound_bytes());
    stats.set_memory_used_bytes(used);
  } else {
    stats.set_memory_total_bytes(int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE));
    stats.set_memory_used_bytes(ResidentBytes());
  }
  stats.set_uptime_seconds(SecondsBetween(started_, clock_.Steady()));
  stats.set_state(State());
  stats.set_job_id(job_id_);
  for (const std::string& model : resident_) stats.add_models_resident(model);
  stats.set_jobs_done(jobs_done_);
  return stats;
}

}  // namespace phasor::worker
