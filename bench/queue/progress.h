// How a program of the queue benchmark talks to bench/queue/compare.py, which drives it:
//   it prints "ready" once it is connected and waits for a line on its standard input,
//   then prints "<unix seconds of the newest> <finished so far>" whenever the count has changed.
// Times are of the machine's clock, so that several processes can be put on one line.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace phasor::bench {

// Says "ready" and waits for the start.
void WaitForGo();
// Until somebody closes the standard input.
void WaitForEnd();

// Counts from any number of threads; prints from one of its own, and a last time when destroyed.
class Progress {
 public:
  Progress();
  ~Progress();
  void Add(int64_t count);

 private:
  void Print();

  std::atomic<int64_t> done_ = 0;
  std::atomic<int64_t> newest_us_ = 0;
  int64_t printed_ = 0;  // owned by the printing thread
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace phasor::bench
