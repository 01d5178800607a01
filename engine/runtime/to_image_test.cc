#include "engine/runtime/to_image.h"

#include <gtest/gtest.h>

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace phasor::engine {
namespace {

TEST(ToImageTest, InterleavesChannelsRowByRow) {
  const at::Tensor decoded = at::tensor({-1.0f, 1.0f, 0.2f, 0.4f, -0.2f, -0.4f}).view({1, 3, 1, 2});
  const Image image = ToImage(decoded);
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.height, 1);
  EXPECT_EQ(image.rgb, (std::vector<uint8_t>{0, 153, 102, 255, 178, 76}));
}

TEST(ToImageTest, RoundsHalvesToEvenAndClamps) {
  // (x / 2 + 0.5) * 255 is exactly k + 0.5 for x = (2k + 1) / 255 - 1 only where fp32 has it:
  // x = 0 gives 127.5, whose even neighbour is 128.
  const at::Tensor decoded = at::tensor({0.0f, 7.0f, -7.0f}).view({1, 3, 1, 1});
  EXPECT_EQ(ToImage(decoded).rgb, (std::vector<uint8_t>{128, 255, 0}));
}

TEST(ToImageTest, RefusesOtherShapes) {
  EXPECT_ANY_THROW(ToImage(at::zeros({1, 4, 8, 8})));
  EXPECT_ANY_THROW(ToImage(at::zeros({2, 3, 8, 8})));
}

}  // namespace
}  // namespace phasor::engine
