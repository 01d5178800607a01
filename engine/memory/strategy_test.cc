#include "engine/memory/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

TEST(StrategyTest, NamesAreTheApis) {
  for (const Strategy strategy : kStrategies) {
    EXPECT_EQ(*ParseStrategy(std::string(ToString(strategy))), strategy);
  }
  EXPECT_EQ(*ParseStrategy("AUTO"), std::nullopt);
  EXPECT_THAT(
      Message(ParseStrategy("FASTEST").status()),
      HasSubstr("must be one of AUTO, FP16_FULL, CPU_OFFLOAD, SEQUENTIAL_OFFLOAD, got FASTEST"));
}

TEST(StrategyTest, EachButTheLeanestHasALeanerOne) {
  EXPECT_EQ(LeanerThan(Strategy::kFull), Strategy::kCpuOffload);
  EXPECT_EQ(LeanerThan(Strategy::kCpuOffload), Strategy::kSequentialOffload);
  EXPECT_EQ(LeanerThan(Strategy::kSequentialOffload), std::nullopt);
}

}  // namespace
}  // namespace phasor::engine
