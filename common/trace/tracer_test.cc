#include "common/trace/tracer.h"

#include <gtest/gtest.h>

#include "common/trace/kept_spans.h"

namespace phasor::trace {
namespace {

const Context kCaller{"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", true};

class TracerTest : public ::testing::Test {
 protected:
  FakeClock clock_{1'000};
  KeptSpans spans_;
  const Tracer tracer_{spans_, clock_, [n = uint64_t{0}]() mutable { return ++n; }};
};

TEST_F(TracerTest, ASpanHasItsParentsTraceItsOwnIdAndItsTimes) {
  const OpenSpan open = tracer_.Begin(kCaller);
  clock_.Advance(Millis(250));
  tracer_.End(open, {.name = "submit", .kind = Kind::kProducer});
  ASSERT_EQ(spans_.all().size(), 1u);
  const Span told = spans_.all()[0];
  EXPECT_EQ(told.name, "submit");
  EXPECT_EQ(told.context.trace_id, kCaller.trace_id);
  EXPECT_EQ(told.context.span_id, "0000000000000001");
  EXPECT_EQ(told.parent_id, kCaller.span_id);
  EXPECT_EQ(told.start_ns, 1'000'000'000);
  EXPECT_EQ(told.end_ns, 1'250'000'000);
}

TEST_F(TracerTest, OneMayBeToldAfterwards) {
  const SteadyTime began = clock_.Steady();
  clock_.Advance(Millis(50));
  const SteadyTime end = clock_.Steady();
  clock_.Advance(Millis(100));
  tracer_.EndAt(end, tracer_.BeganAt(began, kCaller), {.name = "encode"});
  EXPECT_EQ(spans_.all()[0].start_ns, 1'000'000'000);
  EXPECT_EQ(spans_.all()[0].end_ns, 1'050'000'000);
}

TEST_F(TracerTest, WhatWhoeverBeganTheTraceDoesNotWantIsNotToldButPassedOn) {
  Context caller = kCaller;
  caller.sampled = false;
  const OpenSpan open = tracer_.Begin(caller);
  tracer_.End(open, {.name = "submit"});
  EXPECT_TRUE(spans_.all().empty());
  EXPECT_EQ(open.context.trace_id, caller.trace_id);
  EXPECT_FALSE(tracer_.Wants(open.context));
}

TEST_F(TracerTest, AsManyTracesThatBeginHereAreToldAsTheShareSays) {
  for (const double share : {0.0, 0.25, 1.0}) {
    const Tracer some(spans_, clock_, SystemRandomBits(), share);
    int wanted = 0;
    for (int n = 0; n < 10'000; ++n) wanted += some.Wants(some.Begin({}).context) ? 1 : 0;
    EXPECT_NEAR(wanted, share * 10'000, share == 0.25 ? 400 : 0);
  }
}

TEST_F(TracerTest, WithoutASinkTheCallersContextIsPassedOnAsItIs) {
  NoSpans nowhere;
  const Tracer off(nowhere, clock_, SystemRandomBits());
  EXPECT_EQ(TraceParent(off.Begin(kCaller).context), TraceParent(kCaller));
  EXPECT_FALSE(Exists(off.Begin({}).context));
}

}  // namespace
}  // namespace phasor::trace
