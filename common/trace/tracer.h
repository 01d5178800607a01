// Makes the spans of a process. Thread-safe; the sink and the clock outlive it, and what outlives
// the process may not be left to it: a span that is not ended is not told.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/clock.h"
#include "common/trace/context.h"
#include "common/trace/span.h"

namespace phasor::trace {

// A span on its way.
struct OpenSpan {
  Context context;        // its own; that of its parent, where nobody wants spans
  std::string parent_id;  // of what it is part of
  int64_t start_ns = 0;
  SteadyTime began;
};

class Tracer {
 public:
  // `share` of the traces that begin here are told, from 0 to 1; of others whoever began them
  // decided.
  Tracer(SpanSink& sink, const Clock& clock, RandomBits random, double share = 1);

  // Of a trace whose spans are wanted here: whether it pays to describe one.
  bool Wants(const Context& context) const { return sink_.wants() && context.sampled; }

  // Without a parent it begins a trace.
  OpenSpan Begin(const Context& parent) const;
  // One that began earlier, below `parent`; none begins a trace.
  OpenSpan BeganAt(SteadyTime began, const Context& parent) const;
  // Context, parent and times of `told` are those of `open`; it ends now, or at `end`.
  void End(const OpenSpan& open, Span told) const;
  void EndAt(SteadyTime end, const OpenSpan& open, Span told) const;

 private:
  SpanSink& sink_;
  const Clock& clock_;
  const RandomBits random_;
  const double share_;
};

// Random bits for all threads, from the system's source.
RandomBits SystemRandomBits();

}  // namespace phasor::trace
