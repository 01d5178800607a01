#include "services/cli/text/sheet.h"

#include "common/image/png.h"
#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

std::string Plain(int width, int height, uint8_t value) {
  const std::vector<uint8_t> rgb(size_t{3} * width * height, value);
  return *image::EncodePng(width, height, rgb, {});
}

TEST(SheetTest, LaysPicturesOutInRows) {
  const auto sheet = MakeSheet({Plain(8, 8, 10), Plain(8, 8, 20), Plain(8, 8, 30)});
  ASSERT_TRUE(sheet.ok());
  const auto picture = image::DecodePng(*sheet, 1 << 20);
  ASSERT_TRUE(picture.ok());
  EXPECT_EQ(picture->width, 28);
  EXPECT_EQ(picture->height, 28);
  const auto at = [&](int x, int y) { return picture->rgb[(size_t{1} * y * 28 + x) * 3]; };
  EXPECT_EQ(at(4, 4), 10);
  EXPECT_EQ(at(16, 4), 20);
  EXPECT_EQ(at(4, 16), 30);
  EXPECT_EQ(at(16, 16), 255);
  EXPECT_EQ(at(0, 0), 255);
}

TEST(SheetTest, RefusesNothingAndWhatIsNoPicture) {
  EXPECT_EQ(MakeSheet({}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(MakeSheet({"not a png"}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::cli
