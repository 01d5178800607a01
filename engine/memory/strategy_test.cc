#include "engine/memory/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

TEST(StrategyTest, NamesAreTheApis) {
  for (const Strategy strategy : kStrategies) {
    EXPECT_EQ(ParseStrategy(std::string(ToString(strategy)))->strategy, strategy);
    for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
      const StrategyChoice choice = ParseStrategy(NameOf(strategy, form)).value();
      EXPECT_EQ(choice.form, form);
      // A form alone leaves it open where the weights are.
      if (strategy == Strategy::kFull) continue;
      EXPECT_EQ(choice.strategy, strategy);
    }
  }
  EXPECT_EQ(*ParseStrategy("AUTO"), StrategyChoice{});
  EXPECT_EQ(*ParseStrategy("FP8_OPTIMIZED"),
            (StrategyChoice{.strategy = std::nullopt, .form = WeightForm::kFp8}));
  EXPECT_EQ(ApiName("NF4_QUANTIZED+CPU_OFFLOAD"), "NF4_QUANTIZED");
  for (const char* name : {"FASTEST", "FP8_OPTIMIZED+", "FP8_OPTIMIZED+FASTEST", "+CPU_OFFLOAD"}) {
    EXPECT_THAT(Message(ParseStrategy(name).status()),
                HasSubstr(std::string("must be one of AUTO, FP16_FULL, CPU_OFFLOAD, BLOCK_STREAM, "
                                      "SEQUENTIAL_OFFLOAD, FP8_OPTIMIZED, NF4_QUANTIZED, got ") +
                          name));
  }
}

TEST(StrategyTest, EachButTheLeanestHasALeanerOne) {
  EXPECT_EQ(LeanerThan(Strategy::kFull), Strategy::kCpuOffload);
  EXPECT_EQ(LeanerThan(Strategy::kCpuOffload), Strategy::kBlockStream);
  EXPECT_EQ(LeanerThan(Strategy::kBlockStream), Strategy::kSequentialOffload);
  EXPECT_EQ(LeanerThan(Strategy::kSequentialOffload), std::nullopt);
}

}  // namespace
}  // namespace phasor::engine
