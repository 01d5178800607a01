#include "common/image/generation_info.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace phasor::image {
namespace {

TEST(GenerationInfoTest, WritesEverythingAsAsciiJson) {
  GenerationInfo info;
  info.picture.prompt = "\xE7\x8C\xAB \"quoted\"\n";
  info.picture.negative_prompt = "blur";
  info.picture.width = 136;
  info.picture.height = 104;
  info.picture.steps = 20;
  info.picture.guidance_scale = 4.5;
  info.picture.seed = UINT64_MAX;
  info.picture.scheduler = "DDIMScheduler";
  info.model_digest = "abc";
  const std::string text = PhasorJson(info);
  for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << text;
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["prompt"], info.picture.prompt);
  EXPECT_EQ(json["width"], 136);
  EXPECT_EQ(json["guidance_scale"], 4.5);
  EXPECT_EQ(json["seed"].get<uint64_t>(), UINT64_MAX);
  EXPECT_EQ(json["scheduler"], "DDIMScheduler");
}

TEST(GenerationInfoTest, ReplacesBytesThatAreNotUtf8) {
  GenerationInfo info;
  info.picture.prompt = "a\xFF";
  EXPECT_NE(PhasorJson(info).find("a\\ufffd"), std::string::npos) << PhasorJson(info);
}

TEST(GenerationInfoTest, PutsThePeoplesFormFirst) {
  const auto texts = TextsOf(GenerationInfo{});
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_EQ(texts[0].keyword, "parameters");
  EXPECT_EQ(texts[1].keyword, "phasor");
}

TEST(GenerationInfoTest, ReadsItsOwnWords) {
  GenerationInfo info;
  info.picture.prompt = "\xE7\x8C\xAB";
  info.picture.seed = UINT64_MAX;
  info.picture.guidance_scale = 0.1 + 0.2;
  info.picture.scheduler = "DDIMScheduler";
  info.karras_sigmas = true;
  info.model = "demo";
  info.model_digest = "abc";
  info.weights = "NF4_QUANTIZED";
  info.fingerprint = "def";
  const auto read = ReadGenerationInfo(TextsOf(info));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->picture, info.picture);
  EXPECT_TRUE(read->karras_sigmas);
  EXPECT_EQ(read->model, "demo");
  EXPECT_EQ(read->model_digest, "abc");
  EXPECT_EQ(read->weights, "NF4_QUANTIZED");
  EXPECT_EQ(read->fingerprint, "def");
}

TEST(GenerationInfoTest, SaysNothingOfWeightsThatAreStoredAsTheyCompute) {
  EXPECT_EQ(PhasorJson({}).find("weights"), std::string::npos);
}

TEST(GenerationInfoTest, RefusesWordsThatAreNotItsOwn) {
  struct Case {
    std::vector<PngText> texts;
    StatusCode code;
    const char* says;
  };
  for (const Case& c : {
           Case{{}, StatusCode::kNotFound, "does not say"},
           Case{{{"parameters", "a cat\nSteps: 20"}}, StatusCode::kNotFound, "does not say"},
           Case{{{"phasor", "{"}}, StatusCode::kInvalidArgument, "no JSON object"},
           Case{{{"phasor", "[1]"}}, StatusCode::kInvalidArgument, "no JSON object"},
           Case{{{"phasor", R"({"model": 1})"}}, StatusCode::kInvalidArgument, "no text"},
           Case{{{"phasor", R"({"stepz": 1})"}}, StatusCode::kInvalidArgument, "stepz"},
           Case{{{"phasor", R"({"steps": "1"})"}}, StatusCode::kInvalidArgument, "steps"},
       }) {
    const Status status = ReadGenerationInfo(c.texts).status();
    EXPECT_EQ(status.code(), c.code) << status;
    EXPECT_NE(Message(status).find(c.says), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace phasor::image
