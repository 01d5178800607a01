#include "engine/models/sd1/preview.h"

#include <gtest/gtest.h>

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>

namespace phasor::engine {
namespace {

TEST(LatentPreviewTest, MapsEveryPixelLinearly) {
  config::PreviewFactors factors;
  factors.latent_rgb = {{1, 0, 0}, {0, 2, 0}};
  factors.bias = {0, 0, 0.5};
  const StatusOr<LatentPreview> preview = LatentPreview::Make(factors, 2);
  ASSERT_TRUE(preview.ok()) << preview.status();
  const at::Tensor latents = at::arange(12, at::kFloat).view({1, 2, 2, 3});
  const at::Tensor rgb = preview->Render(latents);
  EXPECT_EQ(rgb.sizes(), at::IntArrayRef({1, 3, 2, 3}));
  EXPECT_TRUE(rgb.select(1, 0).equal(latents.select(1, 0)));
  EXPECT_TRUE(rgb.select(1, 1).equal(latents.select(1, 1).mul(2)));
  EXPECT_TRUE(rgb.select(1, 2).equal(at::zeros({1, 2, 3}).add(0.5)));
}

TEST(LatentPreviewTest, HasFactorsForFourChannelsOnly) {
  EXPECT_TRUE(LatentPreview::Make(std::nullopt, 4).ok());
  EXPECT_EQ(LatentPreview::Make(std::nullopt, 16).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::engine
