// Something that took time, as OpenTelemetry tells it, and where it goes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/trace/context.h"

namespace phasor::trace {

// OTLP's numbers.
enum class Kind { kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };

struct Span {
  using Value = std::variant<std::string, int64_t, double, bool>;

  Context context = {};        // its own
  std::string parent_id = {};  // of the span that it is part of; empty: it is the trace's first
  std::string name = {};       // few of them: no ids
  Kind kind = Kind::kInternal;
  int64_t start_ns = 0;  // since 1970
  int64_t end_ns = 0;
  std::vector<std::pair<std::string, Value>> attributes = {};
  std::string error = {};  // a sentence; empty: it went well
};

// Thread-safe; never blocks for long.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // False: spans go nowhere, so nobody needs to make any.
  virtual bool wants() const = 0;
  virtual void Add(Span span) = 0;
};

class NoSpans final : public SpanSink {
 public:
  bool wants() const override { return false; }
  void Add(Span) override {}
};

}  // namespace phasor::trace
