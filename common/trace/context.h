// What ties the spans of a request together over processes: W3C Trace Context, version 00
// (https://www.w3.org/TR/trace-context/). Values; pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace phasor::trace {

struct Context {
  std::string trace_id;  // 32 lower-case hex digits, not all 0; empty: there is none
  std::string span_id;   // 16 of them
  bool sampled = false;  // whoever began the trace wants its spans
};

inline bool Exists(const Context& context) { return !context.trace_id.empty(); }

// Of a header "traceparent". What is malformed is none, as the standard wants it; a later version
// is read as far as this one goes.
Context ParseTraceParent(std::string_view text);
// Empty for none.
std::string TraceParent(const Context& context);

// 64 random bits, from any thread.
using RandomBits = std::function<uint64_t()>;

// Of a span below `parent`; without one, of the first span of a new trace.
Context ChildOf(const Context& parent, const RandomBits& random);

}  // namespace phasor::trace
