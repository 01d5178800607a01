#include "common/base/file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/base/hash.h"

namespace phasor {
namespace {

class FileTest : public ::testing::Test {
 protected:
  FileTest() : folder_(::testing::TempDir() + "file_test-" + RandomToken()) {
    EXPECT_TRUE(MakeDirectories(folder_).ok());
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  size_t Entries() const {
    return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::string folder_;
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  ASSERT_TRUE(WriteFileDurably(Path("a"), "one").ok());
  ASSERT_TRUE(WriteFileDurably(Path("a"), "two").ok());
  EXPECT_EQ(*ReadFile(Path("a"), 10), "two");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, CreateRefusesASecondWriterAndKeepsTheFirst) {
  ASSERT_TRUE(CreateFileDurably(Path("a"), "one").ok());
  EXPECT_EQ(CreateFileDurably(Path("a"), "two").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*ReadFile(Path("a"), 10), "one");
  EXPECT_EQ(Entries(), 1u);
}

TEST_F(FileTest, ReadNamesTheLimitBeforeAllocating) {
  ASSERT_TRUE(WriteFileDurably(Path("a"), "12345").ok());
  const Status status = ReadFile(Path("a"), 4).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_NE(Message(status).find("limit is 4"), std::string::npos);
}

TEST_F(FileTest, AbsentFilesAreNotFound) {
  EXPECT_EQ(ReadFile(Path("none"), 4).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(MappedFile::Open(Path("none")).status().code(), StatusCode::kNotFound);
}

TEST_F(FileTest, MapsAFileAndAnEmptyOne) {
  ASSERT_TRUE(WriteFileDurably(Path("a"), "mapped").ok());
  ASSERT_TRUE(WriteFileDurably(Path("b"), "").ok());
  EXPECT_EQ(MappedFile::Open(Path("a"))->view(), "mapped");
  EXPECT_EQ(MappedFile::Open(Path("b"))->size(), 0u);
}

}  // namespace
}  // namespace phasor
