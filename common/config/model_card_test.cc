#include "common/config/model_card.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::config {
namespace {

class ModelCardTest : public ::testing::Test {
 protected:
  ModelCardTest() : root_(::testing::TempDir() + "cards-" + RandomToken()) {}
  ~ModelCardTest() override { std::filesystem::remove_all(root_); }
  std::string AddModel(const std::string& name, const std::string& yaml) {
    const std::string folder = root_ + "/" + name;
    EXPECT_TRUE(MakeDirectories(folder).ok());
    EXPECT_TRUE(WriteFileDurably(folder + "/model_index.json", "{}").ok());
    if (!yaml.empty()) {
      EXPECT_TRUE(WriteFileDurably(folder + "/phasor.yaml", yaml).ok());
    }
    return folder;
  }
  std::string root_;
};

TEST_F(ModelCardTest, ADirectoryWithoutACardGetsDefaults) {
  const auto card = ReadModelCard(AddModel("plain", "") + "/");
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_EQ(card->name, "plain");
  EXPECT_EQ(card->defaults.width, 512);
}

TEST_F(ModelCardTest, ReadsEveryPart) {
  const auto card = ReadModelCard(AddModel("m", R"(
name: tiny
family: sd1
description: Small
licence: Apache-2.0
defaults: {width: 128, height: 64, steps: 5, guidance_scale: 4, scheduler: ddim}
limits: {min_size: 64, max_size: 256, max_steps: 9, max_images: 2, max_prompt_bytes: 100}
preview: {latent_rgb: [[1, 2, 3], [4, 5, 6]], bias: [0.5, 0, 0]}
sha256: {unet/config.json: )" + std::string(64, 'a') +
                                                    "}"));
  ASSERT_TRUE(card.ok()) << card.status();
  EXPECT_EQ(card->name, "tiny");
  EXPECT_EQ(card->defaults.height, 64);
  EXPECT_EQ(card->limits.max_prompt_bytes, 100u);
  ASSERT_TRUE(card->preview.has_value());
  EXPECT_EQ(card->preview->latent_rgb[1][2], 6);
  EXPECT_EQ(card->preview->bias[0], 0.5);
  EXPECT_EQ(card->sha256.at("unet/config.json"), std::string(64, 'a'));
}

TEST_F(ModelCardTest, BrokenCardsNameTheKey) {
  struct Case {
    std::string yaml;
    std::string says;
  };
  int n = 0;
  for (const Case& c : {Case{"nmae: x", "unknown key nmae"}, Case{"name: A B", "name must be"},
                        Case{"defaults: {width: 100}", "defaults.width"},
                        Case{"defaults: {steps: 200}", "defaults.steps"},
                        Case{"limits: {min_size: 2048}", "limits.min_size"},
                        Case{"preview: {latent_rgb: [1]}", "preview.latent_rgb"},
                        Case{"preview: {latent_rgb: [[1, 2, 3]], bias: [1]}", "preview.bias"},
                        Case{"sha256: [1]", "sha256 must map"},
                        Case{"sha256: {unet/config.json: abc}", "unet/config.json"}}) {
    const Status status = ReadModelCard(AddModel("m" + std::to_string(n++), c.yaml)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.yaml;
    EXPECT_NE(Message(status).find(c.says), std::string::npos) << status;
  }
}

TEST_F(ModelCardTest, FindsAllModelsOfAFolderAndRefusesDoubleNames) {
  AddModel("b", "");
  AddModel("a", "");
  ASSERT_TRUE(MakeDirectories(root_ + "/no-model").ok());
  const auto cards = ReadModelCards(root_);
  ASSERT_TRUE(cards.ok());
  ASSERT_EQ(cards->size(), 2u);
  EXPECT_EQ(cards->front().name, "a");
  AddModel("c", "name: a");
  EXPECT_EQ(ReadModelCards(root_).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadModelCards(root_ + "/none").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace phasor::config
