#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/models/unet/config.h"

namespace phasor::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

StatusOr<UnetConfig> Parse(const std::string& json) {
  return ParseUnetConfig(ConfigReader("unet/config.json", nlohmann::json::parse(json)));
}

TEST(UnetConfigTest, DefaultsAreTheClasses) {
  const auto config = Parse("{}");
  ASSERT_TRUE(config.ok()) << config.status();
  ASSERT_EQ(config->down.size(), 4u);
  EXPECT_TRUE(config->down[0].cross_attention);
  EXPECT_FALSE(config->down[3].cross_attention);
  EXPECT_FALSE(config->up[0].cross_attention);
  EXPECT_EQ(config->up[3].channels, 320);
  EXPECT_EQ(config->time_embedding_dim, 1280);
  EXPECT_EQ(config->mid, UnetMidType::kCrossAttention);
}

TEST(UnetConfigTest, SdxlsListsAreSpreadAndReversed) {
  const auto config = Parse(R"({
      "block_out_channels": [320, 640, 1280],
      "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
      "attention_head_dim": [5, 10, 20], "transformer_layers_per_block": [1, 2, 10],
      "cross_attention_dim": 2048, "use_linear_projection": true, "upcast_attention": null,
      "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
      "projection_class_embeddings_input_dim": 2816, "sample_size": 128})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_THAT(config->down[2].transformer_layers, ElementsAre(10, 10));
  EXPECT_THAT(config->up[0].transformer_layers, ElementsAre(10, 10, 10));
  EXPECT_EQ(config->up[0].heads, 20);
  EXPECT_THAT(config->mid_level.transformer_layers, ElementsAre(10));
  EXPECT_TRUE(config->text_time);
  EXPECT_EQ((*config->sample_size)[1], 128);
  EXPECT_TRUE(config->unknown_keys.empty());
}

TEST(UnetConfigTest, NestedTransformerLayersAndOldBlockNames) {
  const auto config = Parse(R"({
      "block_out_channels": [32, 64], "layers_per_block": 2,
      "down_block_types": ["UNetResCrossAttnDownBlock2D", "DownBlock2D"],
      "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "mid_block_type": null,
      "transformer_layers_per_block": [[1, 2], 3],
      "reverse_transformer_layers_per_block": [[1, 1, 1], [3, 2, 1]], "surprise": 1})");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->down[0].cross_attention);
  EXPECT_THAT(config->down[0].transformer_layers, ElementsAre(1, 2));
  EXPECT_THAT(config->up[1].transformer_layers, ElementsAre(3, 2, 1));
  EXPECT_EQ(config->mid, UnetMidType::kNone);
  EXPECT_THAT(config->unknown_keys, ElementsAre("surprise"));
}

TEST(UnetConfigTest, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"num_attention_heads": 8})", "num_attention_heads"},
      {R"({"dual_cross_attention": true})", "dual_cross_attention"},
      {R"({"class_embed_type": "timestep"})", "class_embed_type"},
      {R"({"num_class_embeds": 10})", "num_class_embeds"},
      {R"({"class_embeddings_concat": true})", "class_embeddings_concat"},
      {R"({"time_embedding_type": "fourier"})", "time_embedding_type"},
      {R"({"attention_type": "gated"})", "attention_type"},
      {R"({"cross_attention_norm": "layer_norm"})", "cross_attention_norm"},
      {R"({"addition_embed_type": "image"})", "addition_embed_type"},
      {R"({"addition_embed_type": "text_time"})", "addition_time_embed_dim"},
      {R"({"encoder_hid_dim_type": "text_proj"})", "encoder_hid_dim"},
      {R"({"encoder_hid_dim_type": "image_proj", "encoder_hid_dim": 8})", "encoder_hid_dim_type"},
      {R"({"mid_block_type": "UNetMidBlock2DSimpleCrossAttn"})", "mid_block_type"},
      {R"({"down_block_types": ["AttnDownBlock2D", "DownBlock2D", "DownBlock2D", "DownBlock2D"]})",
       "down_block_types"},
      {R"({"up_block_types": ["UpBlock2D"]})", "up_block_types"},
      {R"({"resnet_time_scale_shift": "ada_group"})", "resnet_time_scale_shift"},
      {R"({"norm_num_groups": null})", "norm_num_groups"},
      {R"({"norm_num_groups": 33})", "norm_num_groups"},
      {R"({"attention_head_dim": 7})", "attention_head_dim"},
      {R"({"attention_head_dim": [8, 8]})", "attention_head_dim"},
      {R"({"attention_head_dim": 0})", "attention_head_dim"},
      {R"({"act_fn": "tanh"})", "act_fn"},
      {R"({"conv_in_kernel": 4})", "conv_in_kernel"},
      {R"({"block_out_channels": [1e12, 1, 1, 1]})", "block_out_channels"},
      {R"({"block_out_channels": []})", "block_out_channels"},
      {R"({"layers_per_block": 1000000})", "layers_per_block"},
      {R"({"transformer_layers_per_block": [[1, 1], 1, 1, 1]})",
       "reverse_transformer_layers_per_block"},
      {R"({"transformer_layers_per_block": [["x"], 1, 1, 1]})", "transformer_layers_per_block"},
      {R"({"sample_size": [64]})", "sample_size"},
  };
  for (const auto& [json, key] : cases) {
    const auto config = Parse(json);
    EXPECT_EQ(config.status().code(), StatusCode::kInvalidArgument) << json;
    EXPECT_THAT(Message(config.status()), HasSubstr(std::string("unet/config.json: ")));
    EXPECT_THAT(Message(config.status()), HasSubstr(key)) << json;
  }
}

}  // namespace
}  // namespace phasor::engine
