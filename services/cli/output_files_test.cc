#include "services/cli/output_files.h"

#include "gtest/gtest.h"

namespace phasor::cli {
namespace {

std::vector<v1::ImageResult> Pictures(std::vector<int64_t> seeds) {
  std::vector<v1::ImageResult> pictures;
  for (const int64_t seed : seeds) pictures.emplace_back().set_seed(seed);
  return pictures;
}

using Names = std::vector<std::string>;

TEST(OutputFilesTest, SlugsAreSafeFileNames) {
  EXPECT_EQ(Slug("A red circle!"), "a-red-circle");
  EXPECT_EQ(Slug("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(Slug("\xe7\x8c\xab"), "picture");
  EXPECT_EQ(Slug(""), "picture");
  EXPECT_LE(Slug(std::string(1000, 'x')).size(), 60u);
}

TEST(OutputFilesTest, NamesWhatHasNoNameAfterPromptAndSeed) {
  EXPECT_EQ(OutputNames("", ".", "a cat", Pictures({7, 8})), (Names{"a-cat-7.png", "a-cat-8.png"}));
  EXPECT_EQ(OutputNames("", "out", "a cat", Pictures({7})), (Names{"out/a-cat-7.png"}));
}

TEST(OutputFilesTest, NumbersSeveralPicturesOfOneFile) {
  EXPECT_EQ(OutputNames("x/y.png", ".", "a", Pictures({1})), (Names{"x/y.png"}));
  EXPECT_EQ(OutputNames("x/y.png", ".", "a", Pictures({1, 2})), (Names{"x/y-1.png", "x/y-2.png"}));
  EXPECT_EQ(OutputNames("y", ".", "a", Pictures({1, 2})), (Names{"y-1", "y-2"}));
}

}  // namespace
}  // namespace phasor::cli
