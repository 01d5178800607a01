// Spans that are kept, for tests. Thread-safe.
#pragma once

#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/trace/span.h"

namespace phasor::trace {

class KeptSpans final : public SpanSink {
 public:
  bool wants() const override { return true; }
  void Add(Span span) override {
    MutexLock lock(&mu_);
    spans_.push_back(std::move(span));
  }
  // All of them, in the order in which they came.
  std::vector<Span> all() const {
    MutexLock lock(&mu_);
    return spans_;
  }

 private:
  mutable Mutex mu_;
  std::vector<Span> spans_ GUARDED_BY(mu_);
};

}  // namespace phasor::trace
