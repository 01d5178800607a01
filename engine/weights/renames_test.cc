#include "engine/weights/renames.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(RenamesTest, OldVaeAttentionNamesBecomeTodays) {
  const struct {
    const char* before;
    const char* after;
  } cases[] = {
      {"encoder.mid_block.attentions.0.query.weight", "encoder.mid_block.attentions.0.to_q.weight"},
      {"decoder.mid_block.attentions.0.key.bias", "decoder.mid_block.attentions.0.to_k.bias"},
      {"decoder.mid_block.attentions.0.value.bias", "decoder.mid_block.attentions.0.to_v.bias"},
      {"decoder.mid_block.attentions.0.proj_attn.weight",
       "decoder.mid_block.attentions.0.to_out.0.weight"},
      {"decoder.mid_block.attentions.0.group_norm.weight",
       "decoder.mid_block.attentions.0.group_norm.weight"},
      {"decoder.mid_block.attentions.0.to_q.weight", "decoder.mid_block.attentions.0.to_q.weight"},
      {"decoder.up_blocks.0.query.weight", "decoder.up_blocks.0.query.weight"},
      {"decoder.mid_block.attentions.0.query", "decoder.mid_block.attentions.0.query"},
  };
  for (const auto& item : cases) EXPECT_EQ(RenameOldVaeAttention(item.before), item.after);
}

TEST(RenamesTest, FlatClipNamesGetTheirPrefixBack) {
  EXPECT_EQ(RenameFlatClip("embeddings.token_embedding.weight"),
            "text_model.embeddings.token_embedding.weight");
  EXPECT_EQ(RenameFlatClip("final_layer_norm.bias"), "text_model.final_layer_norm.bias");
  EXPECT_EQ(RenameFlatClip("text_model.encoder.layers.0.mlp.fc1.bias"),
            "text_model.encoder.layers.0.mlp.fc1.bias");
  EXPECT_EQ(RenameFlatClip("text_projection.weight"), "text_projection.weight");
}

}  // namespace
}  // namespace phasor::engine
