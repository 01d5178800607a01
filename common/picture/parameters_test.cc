#include "common/picture/parameters.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace phasor::picture {
namespace {

template <typename Owner>
void ExpectWellDeclared() {
  std::set<std::string_view> names;
  for (const Parameter<Owner>& parameter : TableOf<Owner>()) {
    EXPECT_TRUE(names.insert(parameter.name).second) << parameter.name << " is declared twice";
    EXPECT_FALSE(parameter.what.empty()) << parameter.name;
    for (const char c : parameter.name) EXPECT_TRUE((c >= 'a' && c <= 'z') || c == '_');
    EXPECT_EQ(parameter.low.In(Limits{}).has_value(),
              parameter.low.In(Limits{}) && parameter.high.In(Limits{}))
        << parameter.name << " has a lower bound and no upper one";
  }
}

TEST(ParametersTest, EachIsDeclaredOnceAndExplained) {
  ExpectWellDeclared<PictureSpec>();
  ExpectWellDeclared<Lora>();
  ExpectWellDeclared<Control>();
}

TEST(ParametersTest, NoTwoAreTheSameField) {
  for (const auto& one : Parameters()) {
    for (const auto& other : Parameters()) {
      EXPECT_EQ(one.field == other.field, &one == &other) << one.name << ", " << other.name;
    }
  }
}

TEST(ParametersTest, AreFoundByName) {
  ASSERT_NE(FindParameter("steps"), nullptr);
  EXPECT_EQ(FindParameter("steps")->name, "steps");
  EXPECT_EQ(FindParameter("stepz"), nullptr);
  EXPECT_EQ(FindParameter(""), nullptr);
}

TEST(ParametersTest, ABoundIsTheCardsOrItsOwn) {
  Limits limits;
  limits.max_steps = 7;
  const Parameter<PictureSpec>& steps = *FindParameter("steps");
  EXPECT_EQ(steps.low.In(limits), 1);
  EXPECT_EQ(steps.low.limit(), "");
  EXPECT_EQ(steps.high.In(limits), 7);
  EXPECT_EQ(steps.high.limit(), "max_steps");
  EXPECT_EQ(steps.multiple.In(limits), std::nullopt);
}

TEST(LimitsTest, WhatCardsGetWithoutAWordIsWithinWhatTheyMaySay) {
  for (const Limit& limit : LimitTable()) {
    EXPECT_GE(ValueOf({}, limit.field), limit.low) << limit.name;
    EXPECT_LE(ValueOf({}, limit.field), limit.high) << limit.name;
  }
  EXPECT_EQ(WidestLimits().min_size, 8);
  EXPECT_EQ(WidestLimits().max_size, 16'384);
  EXPECT_EQ(WidestLimits().max_steps, 1'000);
}

}  // namespace
}  // namespace phasor::picture
