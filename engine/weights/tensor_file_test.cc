#include "engine/weights/tensor_file.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/weights/safetensors_header.h"
#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

TEST(TensorFileTest, WhatIsWrittenIsReadBack) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/latents.safetensors";
  const std::vector<NamedTensor> tensors = {
      {.name = "latents", .shape = {1, 2, 3}, .values = {0, -1, 2.5f, 3, 1e-30f, 5}},
      {.name = "empty", .shape = {0, 4}, .values = {}},
      {.name = "scalar", .shape = {}, .values = {7}},
  };
  ASSERT_TRUE(WriteSafetensors(path, tensors, {{"seed", "7"}}).ok());
  const auto read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[0].name, "empty");
  EXPECT_EQ((*read)[1].name, "latents");
  EXPECT_EQ((*read)[1].shape, tensors[0].shape);
  EXPECT_EQ((*read)[1].values, tensors[0].values);
  EXPECT_EQ((*read)[2].values, tensors[2].values);
}

TEST(TensorFileTest, RefusesToWriteWhatDoesNotFit) {
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/x.safetensors";
  EXPECT_THAT(Message(WriteSafetensors(path, {{.name = "a", .shape = {2}, .values = {1}}})),
              HasSubstr("has 1 values where its shape has 2"));
  const NamedTensor one{.name = "a", .shape = {1}, .values = {1}};
  EXPECT_THAT(Message(WriteSafetensors(path, {one, one})), HasSubstr("given twice"));
}

TEST(TensorFileTest, HalfPrecisionIsWidenedExactly) {
  const struct {
    SafetensorsType type;
    uint16_t bits;
    float value;
  } cases[] = {
      {SafetensorsType::kF16, 0x3c00, 1.0f},
      {SafetensorsType::kF16, 0xc100, -2.5f},
      {SafetensorsType::kF16, 0x0001, 0x1p-24f},
      {SafetensorsType::kF16, 0x83ff, -0x3ffp-24f},
      {SafetensorsType::kF16, 0x7bff, 65504.0f},
      {SafetensorsType::kF16, 0xfc00, -std::numeric_limits<float>::infinity()},
      {SafetensorsType::kBF16, 0x3f80, 1.0f},
      {SafetensorsType::kBF16, 0xc020, -2.5f},
      {SafetensorsType::kBF16, 0x0001, 0x1p-133f},
  };
  const TemporaryDirectory folder;
  for (const auto& item : cases) {
    const std::string data = {static_cast<char>(item.bits), static_cast<char>(item.bits >> 8)};
    const std::string path = folder.Write(
        "half.safetensors",
        EncodeSafetensorsHeader({{.name = "h", .type = item.type, .shape = {1}}}, {}) + data);
    const auto read = ReadSafetensors(path);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ((*read)[0].values, std::vector<float>{item.value}) << std::hex << item.bits;
  }
}

TEST(TensorFileTest, OtherTypesAreRefusedByName) {
  const TemporaryDirectory folder;
  const std::string path = folder.Write(
      "ints.safetensors",
      EncodeSafetensorsHeader({{.name = "n", .type = SafetensorsType::kI32, .shape = {1}}}, {}) +
          "1234");
  const auto read = ReadSafetensors(path);
  EXPECT_THAT(Message(read.status()), HasSubstr(path + ": tensor 'n' has dtype I32"));
}

}  // namespace
}  // namespace phasor::engine
