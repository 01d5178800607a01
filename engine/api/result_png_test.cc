#include "engine/api/result_png.h"

#include <gtest/gtest.h>

#include "common/image/generation_info.h"
#include "common/image/png.h"

namespace phasor::engine {
namespace {

TEST(ResultPngTest, CarriesThePictureAndHowItWasMade) {
  PictureSpec spec;
  spec.prompt = "a red circle";
  spec.steps = 20;
  spec.guidance_scale = 4;
  spec.seed = 7;
  RunReport report;
  report.scheduler = "DPMSolverMultistepScheduler";
  report.karras_sigmas = true;
  ModelInfo model;
  model.name = "demo";
  const Image picture{2, 1, {1, 2, 3, 4, 5, 6}};
  const StatusOr<std::string> bytes = ResultPng(spec, model, report, 1, picture);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const image::Png png = image::DecodePng(*bytes, 100).value();
  EXPECT_EQ(png.rgb, picture.rgb);
  ASSERT_EQ(png.texts.size(), 2u);
  EXPECT_EQ(png.texts[0].text,
            "a red circle\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 4, Seed: 8, "
            "Size: 2x1, Model: demo");
  EXPECT_NE(png.texts[1].text.find("\"seed\":8"), std::string::npos) << png.texts[1].text;
}

TEST(ResultPngTest, TellsTheFormOfTheWeightsAndNotWhereTheyWere) {
  const std::pair<const char*, const char*> cases[] = {
      {"", ""},
      {"CPU_OFFLOAD", ""},
      {"NF4_QUANTIZED+CPU_OFFLOAD", "NF4_QUANTIZED"},
      {"FP8_OPTIMIZED", "FP8_OPTIMIZED"}};
  for (const auto& [strategy, weights] : cases) {
    RunReport report;
    report.strategy = strategy;
    const auto bytes = ResultPng({}, {}, report, 0, Image{1, 1, {1, 2, 3}});
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    const auto info = image::ReadGenerationInfo(image::DecodePng(*bytes, 100)->texts);
    EXPECT_EQ(info->weights, weights) << strategy;
  }
}

TEST(ResultPngTest, RefusesAPictureWithoutItsBytes) {
  EXPECT_EQ(ResultPng({}, {}, {}, 0, Image{2, 2, {}}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::engine
