#include "services/cli/draw/from_picture.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/draw/request_flags.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;

image::GenerationInfo Info() {
  image::GenerationInfo info;
  info.picture.prompt = "a red circle";
  info.picture.negative_prompt = "blur";
  info.picture.width = info.picture.height = 8;
  info.picture.steps = 12;
  info.picture.seed = 0x7fffffffffffffff;
  info.picture.scheduler = "DPMSolverMultistepScheduler";
  info.karras_sigmas = true;
  info.model = "demo";
  return info;
}

std::string WritePng(const std::string& name, const std::vector<image::PngText>& texts) {
  const std::string path = ::testing::TempDir() + "/" + name;
  const std::vector<uint8_t> rgb(8 * 8 * 3, 7);
  std::ofstream(path, std::ios::binary) << image::EncodePng(8, 8, rgb, texts).value();
  return path;
}

StatusOr<std::vector<v1::GenerateRequest>> Requests(const std::vector<std::string>& words) {
  RequestFlags flags;
  flags::CommandLine line("draw", "draws");
  AddRequestFlags(line, &flags);
  std::ostringstream out;
  RETURN_IF_ERROR(line.Parse(words, out).status());
  return MakeRequests(flags);
}

TEST(FromPictureTest, ARequestAsksForEverythingThatThePictureSays) {
  const std::string path = WritePng("from.png", image::TextsOf(Info()));
  const auto requests = Requests({"--from-png", path});
  ASSERT_TRUE(requests.ok()) << requests.status();
  ASSERT_EQ(requests->size(), 1u);
  const v1::GenerateRequest& request = requests->front();
  EXPECT_EQ(request.prompt(), "a red circle");
  EXPECT_EQ(request.negative_prompt(), "blur");
  EXPECT_EQ(request.width(), 8);
  EXPECT_EQ(request.steps(), 12);
  EXPECT_EQ(request.seed(), 0x7fffffffffffffff);
  EXPECT_EQ(request.scheduler(), "dpmpp_2m_karras") << "the name that gives Karras' sigmas";
  EXPECT_EQ(request.model(), "demo");
  EXPECT_EQ(request.images(), 1);
}

TEST(FromPictureTest, OtherFlagsGoBeforeIt) {
  const std::string path = WritePng("from.png", image::TextsOf(Info()));
  const auto requests = Requests({"a cat", "a dog", "--from-png", path, "--steps", "3",
                                  "--scheduler", "ddim", "--model", "other"});
  ASSERT_TRUE(requests.ok()) << requests.status();
  ASSERT_EQ(requests->size(), 2u);
  EXPECT_EQ((*requests)[1].prompt(), "a dog");
  EXPECT_EQ((*requests)[1].steps(), 3);
  EXPECT_EQ((*requests)[1].scheduler(), "ddim");
  EXPECT_EQ((*requests)[1].model(), "other");
  EXPECT_EQ((*requests)[1].negative_prompt(), "blur");
}

TEST(FromPictureTest, AnEmptyPromptIsOne) {
  image::GenerationInfo info = Info();
  info.picture.prompt = "";
  const auto requests = Requests({"--from-png", WritePng("empty.png", image::TextsOf(info))});
  ASSERT_TRUE(requests.ok()) << requests.status();
  EXPECT_EQ(requests->front().prompt(), "");
}

TEST(FromPictureTest, WhatIsNoSuchPictureIsNamed) {
  const std::string text = ::testing::TempDir() + "/text.png";
  std::ofstream(text) << "no picture";
  struct Case {
    std::string path;
    const char* says;
  };
  for (const Case& c : {
           Case{"/nowhere.png", "No such file"},
           Case{::testing::TempDir(), "Is a directory"},
           Case{text, "PNG"},
           Case{WritePng("silent.png", {}), "does not say how it was made"},
           Case{WritePng("a1111.png", {{"parameters", "a cat\nSteps: 20"}}), "does not say"},
           Case{WritePng("newer.png", {{"phasor", R"({"prompt":"x","warp":1})"}}), "warp"},
       }) {
    const Status status = Requests({"--from-png", c.path}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status;
    EXPECT_THAT(Message(status), HasSubstr(c.path));
    EXPECT_THAT(Message(status), HasSubstr(c.says));
  }
}

}  // namespace
}  // namespace phasor::cli
