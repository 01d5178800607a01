#include "common/config/model_card.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <utility>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/config/model_folder.h"

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

TEST_F(ModelCardTest, MakesALegalNameOfAnyFolders) {
  struct Case {
    std::string folder;
    std::string name;
  };
  for (const Case& c :
       {Case{"Realistic_Vision_V5.1_noVAE", "realistic_vision_v5.1_novae"},
        Case{"My Model (v2)", "my-model-v2"}, Case{"..hidden-", "hidden"},
        Case{"\xe7\x8c\xab", "model"}, Case{std::string(100, 'X'), std::string(64, 'x')}}) {
    const auto card = ReadModelCard(AddModel(c.folder, ""));
    ASSERT_TRUE(card.ok()) << card.status();
    EXPECT_EQ(card->name, c.name);
  }
}

TEST_F(ModelCardTest, AFolderIsNamedAlsoFromWithin) {
  const std::string folder = AddModel("here", "");
  ASSERT_TRUE(MakeDirectories(folder + "/unet").ok());
  const auto before = std::filesystem::current_path();
  for (const auto& [from, directory] :
       {std::pair(folder, "."), std::pair(folder, "./"), std::pair(folder + "/unet", "..")}) {
    std::filesystem::current_path(from);
    const auto card = ReadModelCard(directory);
    std::filesystem::current_path(before);
    ASSERT_TRUE(card.ok()) << card.status();
    EXPECT_EQ(card->name, "here") << directory;
  }
}

TEST_F(ModelCardTest, FindsAllModelsOfAFolder) {
  AddModel("b", "");
  AddModel("a", "");
  ASSERT_TRUE(MakeDirectories(root_ + "/no-model").ok());
  const auto models = ReadModelFolder(root_);
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->cards.size(), 2u);
  EXPECT_EQ(models->cards.front().name, "a");
  EXPECT_TRUE(models->left_out.empty());
  EXPECT_EQ(ReadModelFolder(root_ + "/none").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadModelFolder(root_ + "/no-model").status().code(), StatusCode::kNotFound);
}

TEST_F(ModelCardTest, AModelMayHaveAnotherNameThanItsCardSays) {
  AddModel("models", "name: card");
  const auto models = ReadModelFolder("given=" + root_ + "/models");
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->cards.size(), 1u);
  EXPECT_EQ(models->cards.front().name, "given");
  EXPECT_EQ(ReadModelFolder("Given=" + root_ + "/models").status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(ReadModelFolder("=" + root_ + "/models").status().code(), StatusCode::kInvalidArgument);
  // A folder of models has several names.
  EXPECT_EQ(ReadModelFolder("given=" + root_).status().code(), StatusCode::kNotFound);
}

TEST_F(ModelCardTest, ModelsAreTheSameFromAnotherDirectory) {
  const std::string here = std::filesystem::current_path();
  EXPECT_EQ(AbsoluteModels("m/../models"), here + "/models");
  EXPECT_EQ(AbsoluteModels("a=models"), "a=" + here + "/models");
  EXPECT_EQ(AbsoluteModels("a=/models"), "a=/models");
}

TEST_F(ModelCardTest, AFolderMayHaveASignInItsName) {
  AddModel("a=b", "name: card");
  const auto models = ReadModelFolder(root_ + "/a=b");
  ASSERT_TRUE(models.ok()) << models.status();
  EXPECT_EQ(models->cards.front().name, "card");
}

TEST_F(ModelCardTest, OneBadEntryNeverStopsTheRest) {
  AddModel("good", "");
  AddModel("broken", "nmae: x");
  AddModel("twin", "name: other");
  AddModel("Other", "");
  const auto models = ReadModelFolder(root_);
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->cards.size(), 1u);
  EXPECT_EQ(models->cards.front().name, "good");
  ASSERT_EQ(models->left_out.size(), 2u);
  EXPECT_NE(models->left_out[0].find("unknown key nmae"), std::string::npos);
  EXPECT_TRUE(models->left_out[0].starts_with("broken/phasor.yaml")) << models->left_out[0];
  EXPECT_NE(models->left_out[1].find("named other: Other and twin;"), std::string::npos);
}

TEST_F(ModelCardTest, ACardAloneIsAModelToWhoDrawsNothing) {
  AddModel("whole", "");
  ASSERT_TRUE(MakeDirectories(root_ + "/alone").ok());
  std::ofstream(root_ + "/alone/phasor.yaml") << "defaults: {width: 128, height: 64}";
  const auto drawn = ReadModelFolder(root_);
  ASSERT_TRUE(drawn.ok()) << drawn.status();
  EXPECT_EQ(drawn->cards.size(), 1u);
  const auto models = ReadModelFolder(root_, ModelFiles::kElsewhere);
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_EQ(models->cards.size(), 2u);
  EXPECT_EQ(models->cards.front().name, "alone");
  EXPECT_EQ(models->cards.front().defaults.height, 64);
  EXPECT_EQ(ReadModelCard(root_ + "/alone").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadModelCard(root_, ModelFiles::kElsewhere).status().code(), StatusCode::kNotFound);
}

TEST_F(ModelCardTest, ACardAloneHasToStateTheSize) {
  ASSERT_TRUE(MakeDirectories(root_ + "/alone").ok());
  std::ofstream(root_ + "/alone/phasor.yaml") << "defaults: {width: 128}";
  const auto card = ReadModelCard(root_ + "/alone", ModelFiles::kElsewhere);
  EXPECT_EQ(card.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(card.status()).find("defaults.height"), std::string::npos);
}

TEST_F(ModelCardTest, AFolderOfBadEntriesAloneIsAnError) {
  AddModel("a", "nmae: x");
  EXPECT_NE(Message(ReadModelFolder(root_).status()).find("unknown key"), std::string::npos);
  EXPECT_EQ(ReadModelFolder(root_ + "/a").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::config
