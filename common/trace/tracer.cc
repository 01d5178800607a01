#include "common/trace/tracer.h"

#include <chrono>
#include <random>
#include <utility>

namespace phasor::trace {
namespace {

int64_t NanosBetween(SteadyTime from, SteadyTime to) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(to - from).count();
}

}  // namespace

Tracer::Tracer(SpanSink& sink, const Clock& clock, RandomBits random, double share)
    : sink_(sink), clock_(clock), random_(std::move(random)), share_(share) {}

OpenSpan Tracer::Begin(const Context& parent) const { return BeganAt(clock_.Steady(), parent); }

OpenSpan Tracer::BeganAt(SteadyTime began, const Context& parent) const {
  if (!sink_.wants()) return {.context = parent, .parent_id = {}, .start_ns = 0, .began = began};
  OpenSpan open{.context = ChildOf(parent, random_),
                .parent_id = parent.span_id,
                .start_ns = clock_.WallMillis() * 1'000'000 - NanosBetween(began, clock_.Steady()),
                .began = began};
  if (!Exists(parent) && share_ < 1) {
    // 53 bits are what a double holds.
    open.context.sampled = static_cast<double>(random_() >> 11) < share_ * 0x1p53;
  }
  return open;
}

void Tracer::End(const OpenSpan& open, Span told) const {
  EndAt(clock_.Steady(), open, std::move(told));
}

void Tracer::EndAt(SteadyTime end, const OpenSpan& open, Span told) const {
  if (!Wants(open.context)) return;
  told.context = open.context;
  told.parent_id = open.parent_id;
  told.start_ns = open.start_ns;
  told.end_ns = open.start_ns + NanosBetween(open.began, end);
  sink_.Add(std::move(told));
}

RandomBits SystemRandomBits() {
  return [] {
    thread_local std::mt19937_64 generator = [] {
      std::random_device device;
      std::seed_seq seed{device(), device(), device(), device(), device(), device()};
      return std::mt19937_64(seed);
    }();
    return generator();
  };
}

}  // namespace phasor::trace
