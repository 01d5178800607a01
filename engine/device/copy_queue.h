// A thread that copies beside the one that computes: work is done in the order in which it came.
//
// Thread-safe. Its end waits for the work that is there.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace phasor::engine {

class CopyQueue {
 public:
  CopyQueue();
  ~CopyQueue();
  CopyQueue(const CopyQueue&) = delete;
  CopyQueue& operator=(const CopyQueue&) = delete;

  // The future has what `copy` throws.
  std::future<void> Add(std::function<void()> copy);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::deque<std::packaged_task<void()>> waiting_;
  bool ending_ = false;

  std::thread thread_;  // last: it begins when all else is there
};

}  // namespace phasor::engine
