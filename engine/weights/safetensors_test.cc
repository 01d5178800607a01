#include "engine/weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/weights/temporary_directory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

TEST(SafetensorsTest, EveryTypeRoundTrips) {
  const std::pair<SafetensorsType, at::ScalarType> types[] = {
      {SafetensorsType::kBool, at::kBool},
      {SafetensorsType::kU8, at::kByte},
      {SafetensorsType::kI8, at::kChar},
      {SafetensorsType::kF8E5M2, at::kFloat8_e5m2},
      {SafetensorsType::kF8E4M3, at::kFloat8_e4m3fn},
      {SafetensorsType::kF8E8M0, at::kFloat8_e8m0fnu},
      {SafetensorsType::kF8E4M3Fnuz, at::kFloat8_e4m3fnuz},
      {SafetensorsType::kF8E5M2Fnuz, at::kFloat8_e5m2fnuz},
      {SafetensorsType::kI16, at::kShort},
      {SafetensorsType::kU16, at::kUInt16},
      {SafetensorsType::kF16, at::kHalf},
      {SafetensorsType::kBF16, at::kBFloat16},
      {SafetensorsType::kI32, at::kInt},
      {SafetensorsType::kU32, at::kUInt32},
      {SafetensorsType::kF32, at::kFloat},
      {SafetensorsType::kC64, at::kComplexFloat},
      {SafetensorsType::kF64, at::kDouble},
      {SafetensorsType::kI64, at::kLong},
      {SafetensorsType::kU64, at::kUInt64},
  };
  for (const auto& [type, expected] : types) {
    const TemporaryDirectory folder;
    const size_t size = 6 * static_cast<size_t>(SafetensorsTypeBits(type)) / 8;
    std::string data(size, '\0');
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i % 2);
    const std::string path = folder.Write(
        "t.safetensors", EncodeSafetensorsHeader({{.name = "full", .type = type, .shape = {2, 3}},
                                                  {.name = "none", .type = type, .shape = {0, 3}}},
                                                 {}) +
                             data);
    const auto tensors = LoadTensors(path);
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    const at::Tensor& full = tensors->at("full");
    EXPECT_EQ(full.scalar_type(), expected);
    EXPECT_EQ(full.sizes(), (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(std::memcmp(full.data_ptr(), data.data(), size), 0);
    EXPECT_EQ(tensors->at("none").numel(), 0);
  }
}

TEST(SafetensorsTest, ScalarsAndUnalignedDataLoad) {
  const TemporaryDirectory folder;
  const std::string json = R"({"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})";
  for (size_t padding = 0; padding < 8; ++padding) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(json.size() + padding);
    const float value = 2.5f;
    bytes += json + std::string(padding, ' ');
    bytes.append(reinterpret_cast<const char*>(&value), 4);
    const auto tensors = LoadTensors(folder.Write("t.safetensors", bytes));
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    EXPECT_EQ(tensors->at("x").dim(), 0);
    EXPECT_EQ(tensors->at("x").item<float>(), 2.5f);
  }
}

TEST(SafetensorsTest, TensorsOutliveEverythingElse) {
  at::Tensor kept;
  {
    const TemporaryDirectory folder;
    const auto tensors = LoadTensors(folder.Write(
        "t.safetensors",
        EncodeSafetensorsHeader({{.name = "x", .type = SafetensorsType::kU8, .shape = {3}}}, {}) +
            "abc"));
    kept = tensors->at("x");
  }
  EXPECT_EQ(kept[2].item<int>(), 'c');
}

TEST(SafetensorsTest, AnEmptyTensorWithImpossibleSizesIsRefused) {
  const TemporaryDirectory folder;
  for (const std::vector<uint64_t>& shape :
       {std::vector<uint64_t>{0, 1ull << 40, 1ull << 40}, {0, 1ull << 63}, {0, ~0ull}}) {
    const std::string path = folder.Write(
        "t.safetensors", EncodeSafetensorsHeader(
                             {{.name = "x", .type = SafetensorsType::kF32, .shape = shape}}, {}));
    EXPECT_THAT(Message(LoadTensors(path).status()), HasSubstr("tensor 'x' has a shape beyond"));
  }
}

TEST(SafetensorsTest, SmallFloatsAreRefusedByName) {
  const TemporaryDirectory folder;
  const std::string path = folder.Write(
      "t.safetensors",
      EncodeSafetensorsHeader({{.name = "x", .type = SafetensorsType::kF4, .shape = {4}}}, {}) +
          "ab");
  const auto tensors = LoadTensors(path);
  EXPECT_THAT(Message(tensors.status()), HasSubstr(path + ": tensor 'x' has the dtype F4"));
}

}  // namespace
}  // namespace phasor::engine
