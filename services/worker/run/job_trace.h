// The spans of a job here: "job", from the take to the end, below the request's; below "job" one
// for each phase, from its first unit to its last; and "queue", how long it waited. They are told
// when the job leaves, since units of a phase may lie apart (other jobs of its group, a retry). One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "common/base/clock.h"
#include "common/trace/tracer.h"

namespace phasor::worker {

class JobTrace {
 public:
  // `tracer` outlives it; null: nobody wants spans. `trace_parent`: the request's; what is none
  // begins a trace.
  JobTrace(const trace::Tracer* tracer, const std::string& trace_parent, SteadyTime began);

  // Of the request's trace, for the log; empty: there is none.
  const std::string& trace_id() const { return span_.context.trace_id; }

  // It waited that long for a worker.
  void Waited(Millis time);
  // A part of a phase.
  void Part(const std::string& phase, SteadyTime begin, SteadyTime end);
  // `error` is empty unless it failed.
  void End(SteadyTime end, trace::Span told);

 private:
  struct Phase {
    SteadyTime begin;
    SteadyTime end;
    double seconds = 0;  // of its parts
    int64_t parts = 0;
  };

  const trace::Tracer* const tracer_;
  const trace::Context parent_;
  trace::OpenSpan span_;
  Millis waited_{0};
  std::map<std::string, Phase> phases_;
};

}  // namespace phasor::worker
