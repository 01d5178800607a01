#include "engine/runtime/finite.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace phasor::engine {
namespace {

TEST(AllFiniteTest, FindsOneBadValueAnywhere) {
  for (const float bad : {std::nanf(""), -std::nanf(""), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (const int64_t at : {0, 1, 62, 63}) {
      at::Tensor values = at::zeros({64}, at::kFloat);
      values[at] = bad;
      EXPECT_FALSE(AllFinite(values)) << bad << " at " << at;
      EXPECT_FALSE(AllFinite(values.view({1, 4, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast)));
      EXPECT_FALSE(AllFinite(values.view({8, 8}).t()));
      EXPECT_FALSE(AllFinite(values.to(at::kBFloat16)));
    }
  }
}

TEST(AllFiniteTest, TakesEveryNumber) {
  const at::Tensor values =
      at::tensor({0.0f, -0.0f, std::numeric_limits<float>::max(),
                  std::numeric_limits<float>::lowest(), std::numeric_limits<float>::denorm_min()});
  EXPECT_TRUE(AllFinite(values));
  EXPECT_TRUE(AllFinite(at::empty({0}, at::kFloat)));
  EXPECT_TRUE(AllFinite(at::full({7, 5}, 3.0f).slice(1, 0, 5, 2)));
}

}  // namespace
}  // namespace phasor::engine
