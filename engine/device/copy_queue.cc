#include "engine/device/copy_queue.h"

#include <utility>

#include <ATen/Context.h>

#include "engine/tensor/torch.h"

namespace phasor::engine {

CopyQueue::CopyQueue() : thread_([this] { Run(); }) {}

CopyQueue::~CopyQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::future<void> CopyQueue::Add(std::function<void()> copy) {
  std::packaged_task<void()> task(std::move(copy));
  std::future<void> done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(task));
  }
  changed_.notify_one();
  return done;
}

void CopyQueue::Run() {
  // As on the engine's thread: conversions are to give the same bits.
  at::globalContext().setFlushDenormal(true);
  const c10::InferenceMode no_autograd;
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::packaged_task<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task();
  }
}

}  // namespace phasor::engine
