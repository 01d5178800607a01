#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/models/clip/model.h"
#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

StatusOr<ClipConfig> Parse(const std::string& json,
                           const std::string& class_name = "CLIPTextModel") {
  const TemporaryDirectory folder;
  return ParseClipConfig(folder.Write("config.json", json), class_name);
}

TEST(ClipConfigTest, AbsentKeysMeanTheClassDefaults) {
  const auto config = Parse("{}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hidden_size, 512);
  EXPECT_EQ(config->layers, 12);
  EXPECT_EQ(config->activation, Activation::kQuickGelu);
  EXPECT_EQ(config->eos_token_id, 49407);
}

TEST(ClipConfigTest, AWholeClipsTextPartIsLookedInto) {
  const auto config = Parse(R"({"model_type": "clip", "projection_dim": 9,
                                "text_config": {"hidden_size": 64, "num_attention_heads": 4}})",
                            "CLIPTextModelWithProjection");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->hidden_size, 64);
  EXPECT_EQ(config->projection_dim, 512) << "the outer projection_dim is not the text part's";
  EXPECT_TRUE(config->with_projection);
}

TEST(ClipConfigTest, RefusesByName) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"hidden_act": "swiglu"})", "hidden_act"},
      {R"({"num_attention_heads": 7})", "num_attention_heads"},
      {R"({"num_hidden_layers": 100000})", "num_hidden_layers"},
      {R"({"use_attention_mask": true})", "use_attention_mask"},
      {R"({"vocab_size": -1})", "vocab_size"},
      {R"({"text_config": 7})", "text_config"},
  };
  for (const auto& [json, key] : cases) {
    EXPECT_THAT(Message(Parse(json).status()), HasSubstr(key)) << json;
  }
  EXPECT_THAT(Message(Parse("{}", "T5EncoderModel").status()), HasSubstr("T5EncoderModel"));
}

TEST(ClipPoolingTest, OldFilesTakeTheLargestIdAndNewOnesTheEndMark) {
  const struct {
    std::vector<int64_t> ids;
    int64_t eos;
    int64_t position;
  } cases[] = {
      {{10, 5, 98, 98, 98}, 98, 2},                                // padded with the end mark
      {{10, 5, 98, 0, 0}, 98, 2},   {{10, 98, 5, 99, 99}, 98, 1},  // padded with a larger id
      {{10, 98, 5, 99, 99}, 2, 3},  // which misleads the old rule, as upstream
      {{10, 5, 98, 98, 98}, 2, 2},  {{10, 5, 7}, 98, 0},  // no end mark
  };
  for (const auto& item : cases) {
    const at::Tensor ids = at::tensor(item.ids).unsqueeze(0);
    EXPECT_EQ(ClipPoolingPositions(ids, item.eos)[0].item().toLong(), item.position);
  }
}

TEST(ClipModelTest, LaterTokensDoNotReachEarlierOnesAndMisuseThrows) {
  const c10::InferenceMode guard;
  const std::string folder =
      std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo/text_encoder";
  const auto config = ParseClipConfig(folder + "/config.json", "CLIPTextModel");
  ASSERT_TRUE(config.ok()) << config.status();
  auto weights =
      WeightStore::Open(folder, WeightLayout::kTransformers, ClipTextModel::Options(at::kFloat));
  ASSERT_TRUE(weights.ok()) << weights.status();
  const auto model = ClipTextModel::Create(*config, *weights);
  ASSERT_TRUE(model.ok()) << model.status();
  const at::Tensor before = at::arange(1, 9).unsqueeze(0);
  at::Tensor changed = before.clone();
  changed[0][5] = 77;
  const at::Tensor a = (*model)->Encode(before, 0);
  const at::Tensor b = (*model)->Encode(changed, 0);
  EXPECT_TRUE(at::equal(a.narrow(1, 0, 5), b.narrow(1, 0, 5)));
  EXPECT_FALSE(at::equal(a.narrow(1, 5, 1), b.narrow(1, 5, 1)));
  EXPECT_THROW((*model)->Encode(at::zeros({1, 78}, at::kLong), 0), c10::Error);
  EXPECT_THROW((*model)->Encode(before, 4), c10::Error);
}

}  // namespace
}  // namespace phasor::engine
