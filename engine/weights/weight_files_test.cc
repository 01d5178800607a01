#include "engine/weights/weight_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

// One U8 tensor of one element per name.
std::string Bytes(const std::vector<std::string>& names, char value = '\7') {
  std::vector<SafetensorsEntry> entries;
  for (const std::string& name : names) {
    entries.push_back({.name = name, .type = SafetensorsType::kU8, .shape = {1}});
  }
  return EncodeSafetensorsHeader(entries, {}) + std::string(names.size(), value);
}

std::string Index(const std::string& map) {
  return R"({"metadata":{},"weight_map":{)" + map + "}}";
}

TEST(WeightFilesTest, ReadsShardsThroughTheIndex) {
  const TemporaryDirectory folder;
  folder.Write("model-1.safetensors", Bytes({"a", "b"}));
  folder.Write("model-2.safetensors", Bytes({"c"}));
  folder.Write("model.safetensors.index.json",
               Index(R"("a":"model-1.safetensors","c":"model-2.safetensors")"));
  const auto files = OpenWeightFolder(folder.path(), WeightLayout::kTransformers);
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_EQ(files->tensors.size(), 3u) << "a tensor that the index does not name counts, too";
  EXPECT_EQ(files->paths.size(), 2u);
  EXPECT_EQ(*files->tensors.at("c").data, 7);
}

TEST(WeightFilesTest, RefusesBadShards) {
  const struct {
    const char* index;
    const char* reason;
  } cases[] = {
      {R"({"weight_map":{"a":"../model-1.safetensors"}})", "plain file name"},
      {R"({"weight_map":{"a":"sub/model-1.safetensors"}})", "plain file name"},
      {R"({"weight_map":{"a":"sub\\model-1.safetensors"}})", "plain file name"},
      {R"({"weight_map":{"a":".."}})", "plain file name"},
      {R"({"weight_map":{"a":""}})", "plain file name"},
      {R"({"weight_map":{"a":"model.bin"}})", "convert first"},
      {R"({"weight_map":{"a":7}})", "no name"},
      {R"({"weight_map":{"a":"absent.safetensors"}})", "absent.safetensors"},
      {R"({"weight_map":{"zz":"model-1.safetensors"}})", "'zz' is not in its shard"},
      {R"({"weight_map":{"a":"model-1.safetensors","x":"model-3.safetensors"}})",
       "in another shard"},
      {R"({"weight_map":{}})", "missing or empty"},
      {R"({"weight_map":[]})", "missing or empty"},
      {"{}", "missing or empty"},
      {"[", "not a JSON object"},
  };
  for (const auto& item : cases) {
    const TemporaryDirectory folder;
    folder.Write("model-1.safetensors", Bytes({"a"}));
    folder.Write("model-3.safetensors", Bytes({"a", "x"}));
    folder.Write("model.safetensors.index.json", item.index);
    const auto files = OpenWeightFolder(folder.path(), WeightLayout::kTransformers);
    ASSERT_FALSE(files.ok()) << item.index;
    EXPECT_THAT(Message(files.status()), HasSubstr(item.reason));
    EXPECT_THAT(Message(files.status()), HasSubstr("model.safetensors.index.json"));
  }
}

TEST(WeightFilesTest, EachLibraryHasItsOwnPrecedence) {
  const struct {
    WeightLayout layout;
    const char* stem;
    const char* expected;
  } cases[] = {
      {WeightLayout::kDiffusers, "diffusion_pytorch_model", "from_shard"},
      {WeightLayout::kTransformers, "model", "from_single"},
  };
  for (const auto& item : cases) {
    const TemporaryDirectory folder;
    const std::string single = std::string(item.stem) + ".safetensors";
    folder.Write(single, Bytes({"from_single"}));
    folder.Write("shard.safetensors", Bytes({"from_shard"}));
    folder.Write(single + ".index.json", Index(R"("from_shard":"shard.safetensors")"));
    const auto files = OpenWeightFolder(folder.path(), item.layout);
    ASSERT_TRUE(files.ok()) << files.status();
    EXPECT_TRUE(files->tensors.contains(item.expected));
  }
}

// What each folder gives: the name of the tensor in the file that is taken, or a part of the error.
TEST(WeightFilesTest, TakesTheVariantThatIsThereOrChosen) {
  const struct {
    std::vector<std::string> files;
    const char* chosen;
    const char* taken;
    const char* error;
  } cases[] = {
      {{"model.fp16.safetensors"}, "", "model.fp16.safetensors", ""},
      {{"model.fp16.safetensors"}, "fp16", "model.fp16.safetensors", ""},
      {{"model.safetensors", "model.fp16.safetensors"}, "", "model.safetensors", ""},
      {{"model.safetensors", "model.fp16.safetensors"}, "fp16", "model.fp16.safetensors", ""},
      {{"model.safetensors"}, "fp16", "model.safetensors", ""},
      {{"model.ema.safetensors", "model.fp16.safetensors"}, "ema", "model.ema.safetensors", ""},
      {{"model.ema.safetensors", "model.fp16.safetensors"}, "", "", "(ema, fp16)"},
      {{"model.fp16.safetensors"}, "bf16", "", "only of fp16"},
      {{"model.fp16-00001-of-00001.safetensors", "model.safetensors.index.fp16.json"},
       "",
       "model.fp16-00001-of-00001.safetensors",
       ""},
      {{"model.fp16-00001-of-00001.safetensors", "model.safetensors.fp16.index.json"},
       "",
       "model.fp16-00001-of-00001.safetensors",
       ""},
      {{"model.fp16-00001-of-00001.safetensors"}, "", "", "does not exist"},
      {{"other.fp16.safetensors"}, "", "", "does not exist"},
  };
  for (const auto& test : cases) {
    const TemporaryDirectory folder;
    std::string all;
    for (const std::string& file : test.files) {
      all += file + " ";
      folder.Write(file, file.ends_with(".json")
                             ? Index(R"("a":"model.fp16-00001-of-00001.safetensors")")
                             : Bytes({"a", file}));
    }
    const auto files = OpenWeightFolder(folder.path(), WeightLayout::kTransformers, test.chosen);
    ASSERT_EQ(files.ok(), *test.error == '\0') << all << files.status();
    if (files.ok()) {
      EXPECT_TRUE(files->tensors.contains(test.taken)) << all;
    } else {
      EXPECT_THAT(Message(files.status()), HasSubstr(test.error)) << all;
    }
  }
}

TEST(WeightFilesTest, SaysWhatIsMissing) {
  const TemporaryDirectory folder;
  auto files = OpenWeightFolder(folder.path(), WeightLayout::kDiffusers);
  EXPECT_EQ(files.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(Message(files.status()), HasSubstr("/diffusion_pytorch_model.safetensors"));

  folder.Write("diffusion_pytorch_model.bin", "pickle");
  files = OpenWeightFolder(folder.path(), WeightLayout::kDiffusers);
  EXPECT_THAT(Message(files.status()), HasSubstr("convert them first"));
}

TEST(WeightFilesTest, ABrokenFileIsNamed) {
  const TemporaryDirectory folder;
  const std::string path = folder.Write("model.safetensors", Bytes({"a"}) + "x");
  const auto files = OpenWeightFolder(folder.path(), WeightLayout::kTransformers);
  EXPECT_EQ(files.status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(Message(files.status()), path + ": 1 bytes follow the last tensor");
}

TEST(WeightFilesTest, AnEmptyFileIsAnErrorAndNotACrash) {
  const TemporaryDirectory folder;
  folder.Write("model.safetensors", "");
  EXPECT_EQ(OpenWeightFolder(folder.path(), WeightLayout::kTransformers).status().code(),
            StatusCode::kDataLoss);
}

}  // namespace
}  // namespace phasor::engine
