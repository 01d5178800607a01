// What a test and the handlers of its gateway do one after the other: each takes its turn. A call
// over the wire orders them as well, but neither the language nor the thread sanitizer knows.
// Any thread; nobody waits for a call or a stream during his turn.
#pragma once

#include <mutex>

namespace phasor::cli {

class Turn {
 private:
  static inline std::mutex mu_;
  const std::lock_guard<std::mutex> lock_{mu_};
};

}  // namespace phasor::cli
