#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/models/vae/model.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

StatusOr<VaeConfig> Parse(const std::string& json) {
  return ParseVaeConfig(ConfigReader("vae/config.json", nlohmann::json::parse(json)));
}

TEST(VaeConfigTest, OldFilesWithoutAScalingFactorGetSd1s) {
  const auto config = Parse(R"({
      "block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "sample_size": [512, 512],
      "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D",
                           "DownEncoderBlock2D"],
      "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D",
                         "UpDecoderBlock2D"]})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->scaling_factor, 0.18215);
  EXPECT_EQ(config->scale(), 8);
  EXPECT_EQ(config->sample_size, 512);
  EXPECT_TRUE(config->use_quant_conv);
}

TEST(VaeConfigTest, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"down_block_types": ["AttnDownEncoderBlock2D"]})", "down_block_types"},
      {R"({"up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"]})", "up_block_types"},
      {R"({"norm_num_groups": 31})", "norm_num_groups"},
      {R"({"act_fn": "sin"})", "act_fn"},
      {R"({"scaling_factor": 0})", "scaling_factor"},
      {R"({"latents_mean": [0, 0, 0]})", "latents_mean"},
      {R"({"latents_std": "x"})", "latents_std"},
      {R"({"latent_channels": 0})", "latent_channels"},
      {R"({"block_out_channels": 64})", "block_out_channels"},
  };
  for (const auto& [json, key] : cases) {
    const auto config = Parse(json);
    EXPECT_EQ(config.status().code(), StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(Message(config.status()), HasSubstr("vae/config.json: ")) << json;
    EXPECT_THAT(Message(config.status()), HasSubstr(key)) << json;
  }
}

TEST(LatentDistributionTest, TheLogVarianceIsClampedAtBothEnds) {
  const at::Tensor mean = at::ones({1, 1, 1, 2});
  const at::Tensor logvar = at::tensor({-100.0f, 100.0f}).reshape({1, 1, 1, 2});
  const at::Tensor moments = at::cat({mean, logvar}, 1);
  const at::Tensor sample = LatentSample(moments, at::ones({1, 1, 1, 2})).flatten();
  EXPECT_FLOAT_EQ(sample[0].item().toFloat(), 1 + std::exp(-15.0f));
  EXPECT_FLOAT_EQ(sample[1].item().toFloat(), 1 + std::exp(10.0f));
  EXPECT_TRUE(at::equal(LatentMode(moments), mean));
}

}  // namespace
}  // namespace phasor::engine
