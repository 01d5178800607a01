#include "services/cli/text/output_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class OutputFilesTest : public ::testing::Test {
 protected:
  ~OutputFilesTest() override { fs::remove_all(folder_); }

  static std::vector<v1::ImageResult> Pictures(const std::vector<int64_t>& seeds,
                                               const std::string& data = "png") {
    std::vector<v1::ImageResult> pictures;
    for (const int64_t seed : seeds) {
      v1::ImageResult& picture = pictures.emplace_back();
      picture.set_seed(seed);
      picture.set_data(data);
    }
    return pictures;
  }
  std::string In(const std::string& name) const { return folder_ + "/" + name; }

  const std::string folder_ =
      fs::path(::testing::TempDir() + "/output-files-" + RandomToken()).lexically_normal();
};

TEST(SlugTest, IsASafeFileName) {
  EXPECT_EQ(Slug("A red circle!"), "a-red-circle");
  EXPECT_EQ(Slug("../../etc/passwd"), "etc-passwd");
  EXPECT_EQ(Slug("\xe7\x8c\xab"), "\xe7\x8c\xab");
  EXPECT_EQ(Slug(""), "picture");
  EXPECT_EQ(Slug("!?"), "picture");
}

TEST(SlugTest, EndsWithAWholeCharacterWithinItsLimit) {
  EXPECT_EQ(Slug(std::string(1000, 'x')).size(), 60u);
  std::string cats = "x";
  for (int i = 0; i < 30; ++i) cats += "\xe7\x8c\xab";
  EXPECT_EQ(Slug(cats).size(), 58u);
}

TEST_F(OutputFilesTest, NamesWhatHasNoNameAfterPromptAndSeed) {
  OutputFiles files("", folder_);
  EXPECT_THAT(*files.Write("a cat", Pictures({7, 8})),
              ElementsAre(In("a-cat-7.png"), In("a-cat-8.png")));
}

TEST_F(OutputFilesTest, NoTwoResultsOfACallShareAName) {
  OutputFiles files("", folder_);
  const std::string start(70, 'x');
  EXPECT_THAT(*files.Write(start + "a", Pictures({7})), ElementsAre(In(Slug(start) + "-7.png")));
  EXPECT_THAT(*files.Write(start + "b", Pictures({7})), ElementsAre(In(Slug(start) + "-7-2.png")));
  EXPECT_THAT(*files.Write("a cat", Pictures({7, 7})),
              ElementsAre(In("a-cat-7.png"), In("a-cat-7-2.png")));
  EXPECT_THAT(*files.Write("A CAT", Pictures({7})), ElementsAre(In("a-cat-7-3.png")));
}

TEST_F(OutputFilesTest, LeavesAloneWhatStandsUnderANameOfOurMaking) {
  ASSERT_TRUE(OutputFiles("", folder_).Write("a cat", Pictures({7}, "first")).ok());
  EXPECT_THAT(*OutputFiles("", folder_).Write("a cat", Pictures({7}, "other")),
              ElementsAre(In("a-cat-7-2.png")));
  EXPECT_THAT(*OutputFiles("", folder_).Write("a cat", Pictures({7}, "first")),
              ElementsAre(In("a-cat-7.png")));
  EXPECT_EQ(*ReadFile(In("a-cat-7.png"), 100), "first");
  EXPECT_EQ(*ReadFile(In("a-cat-7-2.png"), 100), "other");
}

TEST_F(OutputFilesTest, NumbersSeveralPicturesOfOneFile) {
  EXPECT_THAT(*OutputFiles(In("x/y.png"), ".").Write("a", Pictures({1})),
              ElementsAre(In("x/y.png")));
  EXPECT_THAT(*OutputFiles(In("x/y.png"), ".").Write("a", Pictures({1, 2})),
              ElementsAre(In("x/y-1.png"), In("x/y-2.png")));
  EXPECT_THAT(*OutputFiles(In("y"), ".").Write("a", Pictures({1, 2})),
              ElementsAre(In("y-1"), In("y-2")));
}

TEST_F(OutputFilesTest, AFileThatCannotBeWrittenIsNoAnswerOfAServer) {
  ASSERT_TRUE(OutputFiles(In("plain"), ".").Write("a", Pictures({1})).ok());
  for (const std::string& path : {folder_, In("plain/x.png"), std::string("/dev/full")}) {
    const Status status = OutputFiles(path, ".").Write("a", Pictures({1})).status();
    EXPECT_EQ(status.code(), StatusCode::kUnknown) << path;
    EXPECT_THAT(Message(status), HasSubstr("cannot ")) << path;
  }
}

}  // namespace
}  // namespace phasor::cli
