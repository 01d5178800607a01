#include "common/config/native_size.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/config/model_card.h"

namespace phasor::config {
namespace {

constexpr char kFourLevels[] = R"({"block_out_channels": [8, 8, 8, 8]})";

class NativeSizeTest : public ::testing::Test {
 protected:
  NativeSizeTest() : root_(::testing::TempDir() + "sizes-" + RandomToken()) {}
  ~NativeSizeTest() override { std::filesystem::remove_all(root_); }

  std::string Model(const std::string& unet, const std::string& vae, const std::string& yaml = "") {
    const std::string folder = root_ + "/m" + std::to_string(count_++);
    Write(folder + "/unet", "config.json", unet);
    Write(folder + "/vae", "config.json", vae);
    Write(folder, "model_index.json", "{}");
    if (!yaml.empty()) Write(folder, "phasor.yaml", yaml);
    return folder;
  }

  static void Write(const std::string& folder, const std::string& name, const std::string& text) {
    EXPECT_TRUE(MakeDirectories(folder).ok());
    EXPECT_TRUE(WriteFileDurably(folder + "/" + name, text).ok());
  }

  std::string root_;
  int count_ = 0;
};

TEST_F(NativeSizeTest, IsTheSampleSizeTimesTheVaesScale) {
  const struct {
    const char* unet;
    const char* vae;
    int width;
    int height;
  } cases[] = {
      {R"({"sample_size": 32})", kFourLevels, 256, 256},
      {R"({"sample_size": 96})", kFourLevels, 768, 768},
      {R"({"sample_size": [48, 80]})", kFourLevels, 640, 384},
      {R"({"sample_size": 64.0})", kFourLevels, 512, 512},
      {R"({"sample_size": 64})", R"({"block_out_channels": [8, 8]})", 128, 128},
      {R"({"sample_size": 32, "_diffusers_version": "0.6.0"})", kFourLevels, 512, 512},
      {R"({"sample_size": 32, "_diffusers_version": "0.10.2"})", kFourLevels, 256, 256},
      {R"({"sample_size": 96, "_diffusers_version": "0.8.0"})", kFourLevels, 768, 768},
  };
  for (const auto& test : cases) {
    const auto size = ReadNativeSize(Model(test.unet, test.vae));
    ASSERT_TRUE(size.has_value()) << test.unet;
    EXPECT_EQ(size->width, test.width) << test.unet;
    EXPECT_EQ(size->height, test.height) << test.unet;
  }
}

TEST_F(NativeSizeTest, IsUnknownWhereTheFilesDoNotTell) {
  for (const char* unet :
       {"{}", "[", R"({"sample_size": null})", R"({"sample_size": 0})", R"({"sample_size": -8})",
        R"({"sample_size": "64"})", R"({"sample_size": [64]})", R"({"sample_size": 1e300})",
        R"({"sample_size": 16000})"}) {
    EXPECT_FALSE(ReadNativeSize(Model(unet, kFourLevels)).has_value()) << unet;
  }
  for (const char* vae : {"{}", R"({"block_out_channels": []})", R"({"block_out_channels": 8})"}) {
    EXPECT_FALSE(ReadNativeSize(Model(R"({"sample_size": 64})", vae)).has_value()) << vae;
  }
  EXPECT_FALSE(ReadNativeSize("/nowhere").has_value());
}

TEST_F(NativeSizeTest, IsTheCardsDefaultUnlessTheCardSaysOtherwise) {
  const struct {
    const char* sample_size;
    const char* yaml;
    int width;
    int height;
    int min_size;
    int max_size;
  } cases[] = {
      {"32", "", 256, 256, 64, 1024},
      {"[32, 48]", "", 384, 256, 64, 1024},
      {"4", "", 32, 32, 32, 1024},
      {"192", "", 1536, 1536, 64, 1536},
      {"32", "defaults: {width: 128, height: 64}", 128, 64, 64, 1024},
      {"32", "defaults: {width: 128}", 128, 256, 64, 1024},
      {"96", "limits: {max_size: 500}", 496, 496, 64, 500},
      {"32", "limits: {min_size: 300}", 304, 304, 300, 1024},
      {"null", "", 512, 512, 64, 1024},
  };
  for (const auto& test : cases) {
    const auto card = ReadModelCard(
        Model(std::string(R"({"sample_size": )") + test.sample_size + "}", kFourLevels, test.yaml));
    ASSERT_TRUE(card.ok()) << card.status();
    EXPECT_EQ(card->defaults.width, test.width) << test.sample_size << " " << test.yaml;
    EXPECT_EQ(card->defaults.height, test.height) << test.sample_size << " " << test.yaml;
    EXPECT_EQ(card->limits.min_size, test.min_size) << test.sample_size << " " << test.yaml;
    EXPECT_EQ(card->limits.max_size, test.max_size) << test.sample_size << " " << test.yaml;
  }
}

}  // namespace
}  // namespace phasor::config
