#include "services/cli/commands/compare.h"

#include <functional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

DrawnPicture Picture() {
  DrawnPicture picture;
  picture.file = "bytes";
  picture.png.width = picture.png.height = 2;
  picture.png.rgb.assign(12, 100);
  picture.info.picture.steps = 20;
  picture.info.model = "demo";
  picture.info.model_digest = "0123456789abcdef";
  picture.info.fingerprint = "f1";
  return picture;
}

TEST(CompareTest, TheSameBytesNeedNoReason) {
  const Comparison same = Compare(Picture(), Picture());
  EXPECT_TRUE(same.same_bytes);
  EXPECT_TRUE(same.same_pixels);
  EXPECT_THAT(same.reasons, IsEmpty());
}

TEST(CompareTest, CountsPixelsAndTheLargestDifference) {
  DrawnPicture other = Picture();
  other.file = "others";
  other.png.rgb[0] = 103;
  other.png.rgb[1] = 101;
  other.png.rgb[11] = 90;
  const Comparison comparison = Compare(Picture(), other);
  EXPECT_FALSE(comparison.same_pixels);
  EXPECT_EQ(comparison.pixels, 4u);
  EXPECT_EQ(comparison.other_pixels, 2u);
  EXPECT_EQ(comparison.largest, 10);
}

TEST(CompareTest, AnotherSizeIsAnotherPicture) {
  DrawnPicture other = Picture();
  other.file = "others";
  other.png = {1, 1, {1, 2, 3}, {}};
  const Comparison comparison = Compare(Picture(), other);
  EXPECT_EQ(comparison.other_pixels, 4u);
}

TEST(CompareTest, SaysWhyBytesDiffer) {
  struct Case {
    std::function<void(DrawnPicture&)> change;
    const char* says;
  };
  for (const Case& c : {
           Case{[](auto& p) { p.info.model_digest = "fedcba9876543210"; }, "another: its digest"},
           Case{[](auto& p) { p.info.fingerprint = "f2"; }, "the fingerprint is another"},
           Case{[](auto& p) { p.info.picture.steps = 21; }, "steps was 20 and is 21"},
           Case{[](auto& p) { p.info.picture.scheduler = "DDIMScheduler"; }, "scheduler was"},
           Case{[](auto& p) { p.info.karras_sigmas = true; }, "Karras' sigmas were off and are on"},
           Case{[](auto& p) { p.info.model = "other"; }, "name was demo and is other"},
           Case{[](auto& p) { p.png.rgb[0] = 1; }, "was changed after it was drawn"},
           Case{[](auto&) {}, "written or changed by something else"},
       }) {
    DrawnPicture other = Picture();
    other.file = "others";
    c.change(other);
    EXPECT_THAT(Compare(Picture(), other).reasons, ElementsAre(HasSubstr(c.says)));
  }
}

TEST(CompareTest, APictureOfAnEarlierVersionHasNoFingerprint) {
  DrawnPicture old = Picture();
  old.file = "older";
  old.info.fingerprint = "";
  const Comparison comparison = Compare(old, Picture());
  EXPECT_TRUE(comparison.same_pixels);
  EXPECT_THAT(comparison.reasons, ElementsAre(HasSubstr("no fingerprint")));
}

}  // namespace
}  // namespace phasor::cli
