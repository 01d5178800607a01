#include "services/worker/run/job_trace.h"

#include <utility>

namespace phasor::worker {

JobTrace::JobTrace(const trace::Tracer* tracer, const std::string& trace_parent, SteadyTime began)
    : tracer_(tracer), parent_(trace::ParseTraceParent(trace_parent)) {
  span_.context = parent_;
  if (tracer_ != nullptr) span_ = tracer_->BeganAt(began, parent_);
}

void JobTrace::Waited(Millis time) { waited_ = time; }

void JobTrace::Part(const std::string& phase, SteadyTime begin, SteadyTime end) {
  const auto [found, first] = phases_.try_emplace(phase, Phase{.begin = begin, .end = end});
  found->second.end = end;
  found->second.seconds += SecondsBetween(begin, end);
  ++found->second.parts;
}

void JobTrace::End(SteadyTime end, trace::Span told) {
  if (tracer_ == nullptr || !tracer_->Wants(span_.context)) return;
  if (waited_ > Millis(0)) {
    // Beside the job, not within: nobody had it then.
    const trace::Context beside = trace::Exists(parent_) ? parent_ : span_.context;
    tracer_->EndAt(span_.began, tracer_->BeganAt(span_.began - waited_, beside), {.name = "queue"});
  }
  for (const auto& [name, phase] : phases_) {
    trace::Span span{.name = name};
    span.attributes = {{"phasor.units", phase.parts}, {"phasor.busy_seconds", phase.seconds}};
    tracer_->EndAt(phase.end, tracer_->BeganAt(phase.begin, span_.context), std::move(span));
  }
  told.name = "job";
  told.kind = trace::Kind::kConsumer;
  tracer_->EndAt(end, span_, std::move(told));
}

}  // namespace phasor::worker
