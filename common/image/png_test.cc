#include "common/image/png.h"

#include <gtest/gtest.h>

#include "common/base/hash.h"

namespace phasor::image {
namespace {

constexpr uint64_t kPlenty = 1 << 20;

std::vector<uint8_t> Gradient(int width, int height) {
  std::vector<uint8_t> rgb;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      rgb.push_back(static_cast<uint8_t>(x * 7));
      rgb.push_back(static_cast<uint8_t>(y * 5));
      rgb.push_back(static_cast<uint8_t>(x * y));
    }
  }
  return rgb;
}

TEST(PngTest, ComesBackWithPixelsAndTexts) {
  const std::vector<PngText> texts = {{"parameters", "a cat\nSteps: 20"},
                                      {"latin", "caf\xC3\xA9"},
                                      {"emoji", "\xF0\x9F\x8E\xA8 \xE7\x8C\xAB"},
                                      {"empty", ""}};
  const auto rgb = Gradient(37, 11);
  const StatusOr<std::string> bytes = EncodePng(37, 11, rgb, texts);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const StatusOr<Png> png = DecodePng(*bytes, kPlenty);
  ASSERT_TRUE(png.ok()) << png.status();
  EXPECT_EQ(png->width, 37);
  EXPECT_EQ(png->height, 11);
  EXPECT_EQ(png->rgb, rgb);
  EXPECT_EQ(png->texts, texts);
}

TEST(PngTest, WritesTextAsPillowDoes) {
  const std::string bytes =
      EncodePng(1, 1, Gradient(1, 1), {{"a", "caf\xC3\xA9"}, {"b", "\xE7\x8C\xAB"}}).value();
  const auto contains = [&](std::string_view part) {
    return bytes.find(part) != std::string::npos;
  };
  using namespace std::string_view_literals;
  EXPECT_TRUE(contains("tEXta\0caf\xE9"sv)) << "Latin-1 text stands in tEXt";
  EXPECT_TRUE(contains("iTXtb\0\0\0\0\0\xE7\x8C\xAB"sv)) << "other text in iTXt, uncompressed";
  EXPECT_FALSE(contains("tIME"));
}

TEST(PngTest, GivesTheSameBytesEveryTime) {
  const auto encode = [] { return EncodePng(64, 48, Gradient(64, 48), {{"k", "v"}}).value(); };
  EXPECT_EQ(encode(), encode());
}

TEST(PngTest, RefusesSizesAndTextsThatDoNotFit) {
  const auto rgb = Gradient(4, 4);
  struct Case {
    int width, height;
    PngText text;
  };
  const Case cases[] = {
      {4, 5, {"k", "v"}},   {0, 4, {"k", "v"}},
      {-4, -4, {"k", "v"}}, {1 << 30, 1 << 30, {"k", "v"}},
      {4, 4, {"", "v"}},    {4, 4, {std::string(80, 'k'), "v"}},
      {4, 4, {"k\n", "v"}}, {4, 4, {"k", std::string("a\0b", 3)}},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(EncodePng(test.width, test.height, rgb, {test.text}).status().code(),
              StatusCode::kInvalidArgument)
        << test.width << " " << test.text.keyword;
  }
}

TEST(PngTest, SurvivesEveryTruncationAndFlippedByte) {
  const std::string whole = EncodePng(9, 7, Gradient(9, 7), {{"k", "v"}}).value();
  for (size_t size = 0; size + 12 < whole.size(); ++size) {
    EXPECT_FALSE(DecodePng(whole.substr(0, size), kPlenty).ok()) << size;
  }
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x40);
    const StatusOr<Png> png = DecodePng(broken, 1000);
    if (png.ok()) continue;  // a text or a chunk nobody reads
    EXPECT_EQ(png.status().code(), StatusCode::kInvalidArgument) << at;
  }
}

TEST(PngTest, RefusesMorePixelsThanAllowedBeforeAllocating) {
  const std::string bytes = EncodePng(40, 40, Gradient(40, 40), {}).value();
  const Status status = DecodePng(bytes, 1599).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("1599 pixels"), std::string::npos) << status;
}

}  // namespace
}  // namespace phasor::image
