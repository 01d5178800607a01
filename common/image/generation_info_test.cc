#include "common/image/generation_info.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace phasor::image {
namespace {

TEST(GenerationInfoTest, WritesEverythingAsAsciiJson) {
  GenerationInfo info;
  info.prompt = "\xE7\x8C\xAB \"quoted\"\n";
  info.negative_prompt = "blur";
  info.width = 136;
  info.height = 104;
  info.steps = 20;
  info.guidance_scale = 4.5;
  info.seed = UINT64_MAX;
  info.scheduler = "DDIMScheduler";
  info.model_digest = "abc";
  const std::string text = PhasorJson(info);
  for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << text;
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["prompt"], info.prompt);
  EXPECT_EQ(json["width"], 136);
  EXPECT_EQ(json["guidance_scale"], 4.5);
  EXPECT_EQ(json["seed"].get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(json["scheduler"], "DDIMScheduler");
}

TEST(GenerationInfoTest, ReplacesBytesThatAreNotUtf8) {
  GenerationInfo info;
  info.prompt = "a\xFF";
  EXPECT_NE(PhasorJson(info).find("a\\ufffd"), std::string::npos) << PhasorJson(info);
}

TEST(GenerationInfoTest, PutsThePeoplesFormFirst) {
  const auto texts = TextsOf(GenerationInfo{});
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0].keyword, "parameters");
  EXPECT_EQ(texts[1].keyword, "phasor");
}

}  // namespace
}  // namespace phasor::image
