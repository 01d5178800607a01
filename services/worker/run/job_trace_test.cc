#include "services/worker/run/job_trace.h"

#include <gtest/gtest.h>

#include "common/trace/kept_spans.h"

namespace phasor::worker {
namespace {

constexpr char kRequest[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

class JobTraceTest : public ::testing::Test {
 protected:
  void Part(JobTrace* job, const std::string& phase, Millis time) {
    const SteadyTime begin = clock_.Steady();
    clock_.Advance(time);
    job->Part(phase, begin, clock_.Steady());
  }
  std::map<std::string, trace::Span> Told() {
    std::map<std::string, trace::Span> told;
    for (const trace::Span& span : spans_.all()) told[span.name] = span;
    return told;
  }
  static int64_t MillisOf(const trace::Span& span) {
    return (span.end_ns - span.start_ns) / 1'000'000;
  }

  FakeClock clock_{1'000'000};
  trace::KeptSpans spans_;
  const trace::Tracer tracer_{spans_, clock_, trace::SystemRandomBits()};
};

TEST_F(JobTraceTest, AJobAndItsPhasesHangBelowTheRequest) {
  JobTrace job(&tracer_, kRequest, clock_.Steady());
  EXPECT_EQ(job.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  job.Waited(Millis(3'000));
  Part(&job, "denoise", Millis(40));
  clock_.Advance(Millis(500));  // another job's
  Part(&job, "denoise", Millis(60));
  Part(&job, "decode", Millis(10));
  EXPECT_TRUE(spans_.all().empty());
  job.End(clock_.Steady(), {.error = "no luck"});

  auto told = Told();
  ASSERT_EQ(told.size(), 4u);
  const trace::Span& whole = told["job"];
  EXPECT_EQ(whole.parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(whole.kind, trace::Kind::kConsumer);
  EXPECT_EQ(whole.start_ns, 1'000'000'000'000);
  EXPECT_EQ(MillisOf(whole), 610);
  EXPECT_EQ(whole.error, "no luck");
  EXPECT_EQ(told["queue"].parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(told["queue"].end_ns, whole.start_ns);
  EXPECT_EQ(MillisOf(told["queue"]), 3'000);
  EXPECT_EQ(told["denoise"].parent_id, whole.context.span_id);
  EXPECT_EQ(MillisOf(told["denoise"]), 600);
  EXPECT_EQ(std::get<int64_t>(told["denoise"].attributes[0].second), 2);
  EXPECT_NEAR(std::get<double>(told["denoise"].attributes[1].second), 0.1, 1e-9);
  EXPECT_EQ(told["decode"].start_ns, told["denoise"].end_ns);
  for (const auto& [name, span] : told) EXPECT_EQ(span.context.trace_id, job.trace_id()) << name;
}

TEST_F(JobTraceTest, WhatNobodyWantsIsNotTold) {
  std::string request(kRequest);
  request.back() = '0';
  JobTrace job(&tracer_, request, clock_.Steady());
  job.Part("denoise", clock_.Steady(), clock_.Steady());
  job.End(clock_.Steady(), {});
  EXPECT_TRUE(spans_.all().empty());
  EXPECT_FALSE(job.trace_id().empty());
}

TEST_F(JobTraceTest, WithoutATracerTheRequestsTraceIsKnownForTheLog) {
  JobTrace job(nullptr, kRequest, clock_.Steady());
  job.End(clock_.Steady(), {});
  EXPECT_EQ(job.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(JobTrace(nullptr, "", clock_.Steady()).trace_id(), "");
}

}  // namespace
}  // namespace phasor::worker
