#include "common/base/number.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace phasor {
namespace {

using ::testing::HasSubstr;

TEST(NumberTest, WholeNumbersAreDecimalAlways) {
  EXPECT_EQ(*ParseWhole<int>("010"), 10);
  EXPECT_EQ(*ParseWhole<int>("+7"), 7);
  EXPECT_EQ(*ParseWhole<int64_t>("-9223372036854775808"), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(*ParseWhole<uint64_t>("18446744073709551615"), std::numeric_limits<uint64_t>::max());
}

TEST(NumberTest, WhatIsNoWholeNumberIsRefusedAsItWasWritten) {
  for (const char* text :
       {"", " 1", "1 ", "1.0", "1e3", "0x10", "ten", "--1", "+-1", "1_000", "+"}) {
    const auto read = ParseWhole<int>(text);
    EXPECT_THAT(Message(read.status()),
                HasSubstr("must be a whole number, got '" + std::string(text)))
        << text;
  }
}

TEST(NumberTest, NothingWrapsAround) {
  EXPECT_THAT(Message(ParseWhole<int>("2147483648").status()),
              HasSubstr("must be between -2147483648 and 2147483647, got 2147483648"));
  EXPECT_FALSE(ParseWhole<int64_t>("18446744073709551615").ok());
  EXPECT_THAT(Message(ParseWhole<uint64_t>("-1").status()),
              HasSubstr("must be between 0 and 18446744073709551615, got -1"));
  EXPECT_FALSE(ParseWhole<uint64_t>("18446744073709551616").ok());
  EXPECT_FALSE(ParseWhole<int>("99999999999999999999999999").ok());
  EXPECT_FALSE(ParseWhole<int>("9", 1, 8).ok());
}

TEST(NumberTest, NumbersAreFiniteAndInBounds) {
  EXPECT_EQ(*ParseNumber("7.5", 0, 100), 7.5);
  EXPECT_EQ(*ParseNumber("+1e2", 0, 100), 100);
  EXPECT_EQ(*ParseNumber(".5", 0, 1), 0.5);
  for (const char* text : {"nan", "inf", "-inf", "", "1,5", "1.5x", "0x1p3", "1e999", "NaN"}) {
    EXPECT_THAT(Message(ParseNumber(text, -1e308, 1e308).status()), HasSubstr("must be a number"))
        << text;
  }
  EXPECT_THAT(Message(ParseNumber("1.5", 0, 1).status()),
              HasSubstr("must be between 0 and 1, got 1.5"));
}

TEST(NumberTest, TextIsAsShortAsReadsBackTheSame) {
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(86400), "86400");
  EXPECT_EQ(*ParseNumber(NumberText(1.0 / 3), 0, 1), 1.0 / 3);
}

}  // namespace
}  // namespace phasor
