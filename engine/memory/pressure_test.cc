#include "engine/memory/pressure.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(PressureTest, GrowsWithTheShareInUse) {
  struct Case {
    uint64_t used;
    uint64_t total;
    const char* state;
  };
  const Case cases[] = {{0, 100, "LOW"},       {59, 100, "LOW"},       {60, 100, "MODERATE"},
                        {79, 100, "MODERATE"}, {80, 100, "HIGH"},      {94, 100, "HIGH"},
                        {95, 100, "CRITICAL"}, {100, 100, "CRITICAL"}, {500, 100, "CRITICAL"}};
  for (const Case& test : cases) {
    EXPECT_EQ(ToString(PressureOf(test.used, test.total)), test.state) << test.used;
  }
}

TEST(PressureTest, ADeviceWithoutABoundIsNeverTight) {
  EXPECT_EQ(PressureOf(uint64_t{1} << 60, 0), Pressure::kLow);
}

TEST(PressureTest, TheLimitsAreTheCallers) {
  const PressureLimits limits{.moderate = 0.1, .high = 0.2, .critical = 0.3};
  EXPECT_EQ(PressureOf(25, 100, limits), Pressure::kHigh);
  EXPECT_EQ(PressureOf(30, 100, limits), Pressure::kCritical);
}

}  // namespace
}  // namespace phasor::engine
