#include "common/image/a1111_parameters.h"

#include <gtest/gtest.h>

namespace phasor::image {
namespace {

GenerationInfo Sample() {
  GenerationInfo info;
  info.picture.prompt = "a red circle on a blue background";
  info.picture.negative_prompt = "blurry, dark";
  info.picture.width = 128;
  info.picture.height = 128;
  info.picture.steps = 20;
  info.picture.guidance_scale = 4;
  info.picture.seed = 7;
  info.picture.scheduler = "DPMSolverMultistepScheduler";
  info.model = "phasor-demo";
  return info;
}

TEST(A1111ParametersTest, HasTheFormThatToolsRead) {
  EXPECT_EQ(A1111Parameters(Sample()),
            "a red circle on a blue background\n"
            "Negative prompt: blurry, dark\n"
            "Steps: 20, Sampler: DPM++ 2M, CFG scale: 4, Seed: 7, Size: 128x128, "
            "Model: phasor-demo");
}

TEST(A1111ParametersTest, LeavesOutAnEmptyNegativePrompt) {
  GenerationInfo info = Sample();
  info.picture.negative_prompt.clear();
  EXPECT_EQ(A1111Parameters(info).find("Negative"), std::string::npos);
}

TEST(A1111ParametersTest, NamesSamplersAsTheWebUiDoes) {
  struct Case {
    const char* scheduler;
    bool karras;
    const char* sampler;
  };
  const Case cases[] = {
      {"DDIMScheduler", false, "DDIM"},
      {"PNDMScheduler", false, "PLMS"},
      {"EulerDiscreteScheduler", false, "Euler"},
      {"EulerDiscreteScheduler", true, "Euler Karras"},
      {"EulerAncestralDiscreteScheduler", false, "Euler a"},
      {"DPMSolverMultistepScheduler", true, "DPM++ 2M Karras"},
      {"NewScheduler", false, "NewScheduler"},
  };
  for (const Case& test : cases) {
    GenerationInfo info = Sample();
    info.picture.scheduler = test.scheduler;
    info.karras_sigmas = test.karras;
    EXPECT_NE(A1111Parameters(info).find("Sampler: " + std::string(test.sampler) + ", CFG"),
              std::string::npos)
        << test.sampler;
  }
}

TEST(A1111ParametersTest, CountsClipSkipFromOneAndQuotesSeparators) {
  GenerationInfo info = Sample();
  info.picture.clip_skip = 1;
  info.picture.guidance_scale = 7.5;
  info.picture.eta = 0.25;
  info.picture.guidance_rescale = 0.7;
  info.model = "a, b";
  const std::string text = A1111Parameters(info);
  EXPECT_NE(text.find("CFG scale: 7.5, "), std::string::npos) << text;
  EXPECT_NE(text.find("Model: \"a, b\", Clip skip: 2, Eta DDIM: 0.25, CFG Rescale phi: 0.7"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace phasor::image
