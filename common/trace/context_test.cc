#include "common/trace/context.h"

#include <gtest/gtest.h>

namespace phasor::trace {
namespace {

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSpan[] = "00f067aa0ba902b7";

TEST(TraceContextTest, ReadsAndWritesTheStandardsExample) {
  const std::string text = std::string("00-") + kTrace + "-" + kSpan + "-01";
  const Context context = ParseTraceParent(text);
  EXPECT_EQ(context.trace_id, kTrace);
  EXPECT_EQ(context.span_id, kSpan);
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(TraceParent(context), text);
}

TEST(TraceContextTest, OnlyTheLastBitOfTheFlagsCounts) {
  const std::string head = std::string("00-") + kTrace + "-" + kSpan + "-";
  EXPECT_FALSE(ParseTraceParent(head + "00").sampled);
  EXPECT_FALSE(ParseTraceParent(head + "02").sampled);
  EXPECT_TRUE(ParseTraceParent(head + "ff").sampled);
  EXPECT_EQ(TraceParent(ParseTraceParent(head + "02")), head + "00");
}

TEST(TraceContextTest, ALaterVersionIsReadAsFarAsThisOneGoes) {
  const std::string rest = std::string("-") + kTrace + "-" + kSpan + "-01";
  EXPECT_TRUE(Exists(ParseTraceParent("01" + rest)));
  EXPECT_TRUE(Exists(ParseTraceParent("cc" + rest + "-what-comes")));
  EXPECT_FALSE(Exists(ParseTraceParent("00" + rest + "-what-comes")));
  EXPECT_FALSE(Exists(ParseTraceParent("cc" + rest + ".what-comes")));
}

TEST(TraceContextTest, WhatIsMalformedIsNone) {
  const std::string trace(kTrace), span(kSpan);
  for (const std::string& text : {
           std::string(),
           std::string("00"),
           "00-" + trace + "-" + span,
           "00-" + trace + "-" + span + "-0",
           "00-" + trace + "-" + span + "-0g",
           "00-" + trace + "-" + span + "-01 ",
           "ff-" + trace + "-" + span + "-01",
           "00-" + std::string(32, '0') + "-" + span + "-01",
           "00-" + trace + "-" + std::string(16, '0') + "-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01",
           "00_" + trace + "-" + span + "-01",
           std::string(55, '\0'),
       }) {
    EXPECT_FALSE(Exists(ParseTraceParent(text))) << text;
    EXPECT_EQ(TraceParent(ParseTraceParent(text)), "");
  }
}

TEST(TraceContextTest, AChildHasItsTraceAndAnIdOfItsOwn) {
  const Context parent{kTrace, kSpan, false};
  const Context child = ChildOf(parent, [] { return 0xabcu; });
  EXPECT_EQ(child.trace_id, kTrace);
  EXPECT_EQ(child.span_id, "0000000000000abc");
  EXPECT_FALSE(child.sampled);
}

TEST(TraceContextTest, WithoutAParentATraceBeginsWhoseIdsAreNeverZero) {
  uint64_t next = 0;
  const Context first = ChildOf({}, [&] { return next; });
  EXPECT_EQ(first.trace_id, "00000000000000000000000000000001");
  EXPECT_EQ(first.span_id, "0000000000000001");
  EXPECT_TRUE(first.sampled);
  EXPECT_TRUE(Exists(ParseTraceParent(TraceParent(first))));
}

}  // namespace
}  // namespace phasor::trace
