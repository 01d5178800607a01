#include "bench/queue/progress.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

namespace phasor::bench {
namespace {

constexpr std::chrono::milliseconds kInterval{20};

int64_t NowMicros() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count();
}

}  // namespace

void WaitForGo() {
  std::printf("ready\n");
  std::fflush(stdout);
  std::string line;
  std::getline(std::cin, line);
}

void WaitForEnd() {
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}

Progress::Progress()
    : thread_([this] {
        while (!stopped_) {
          std::this_thread::sleep_for(kInterval);
          Print();
        }
      }) {}

Progress::~Progress() {
  stopped_ = true;
  thread_.join();
  Print();
}

void Progress::Add(int64_t count) {
  newest_us_ = NowMicros();
  done_ += count;
}

void Progress::Print() {
  const int64_t done = done_;
  if (done == printed_) return;
  printed_ = done;
  std::printf("%.6f %lld\n", static_cast<double>(newest_us_) / 1e6, static_cast<long long>(done));
  std::fflush(stdout);
}

}  // namespace phasor::bench
