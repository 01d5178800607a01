#include "common/base/user_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "common/base/hash.h"

namespace phasor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class UserFileTest : public ::testing::Test {
 protected:
  UserFileTest() { fs::create_directories(folder_); }
  ~UserFileTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  std::string Content(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name)).rdbuf();
    return text.str();
  }
  void Put(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
  }
  size_t Files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  const std::string folder_ = ::testing::TempDir() + "/user-file-" + RandomToken();
};

TEST_F(UserFileTest, ReplacesAFileAndKeepsItsMode) {
  Put("a", "old");
  ASSERT_EQ(::chmod(Path("a").c_str(), 0640), 0);
  ASSERT_TRUE(WriteUserFile(Path("a"), "new").ok());
  EXPECT_EQ(Content("a"), "new");
  struct stat info {};
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(Files(), 1u);
}

TEST_F(UserFileTest, ANewFileHasTheModeThatTheUmaskLeaves) {
  const mode_t before = ::umask(0027);
  const Status written = WriteUserFile(Path("a"), "x");
  ::umask(before);
  ASSERT_TRUE(written.ok()) << written;
  struct stat info {};
  ASSERT_EQ(::stat(Path("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
}

TEST_F(UserFileTest, WritesToWhatALinkPointsTo) {
  Put("target", "old");
  fs::create_symlink("target", Path("link"));
  fs::create_symlink(Path("link"), Path("second"));
  fs::create_symlink("not-yet", Path("dangling"));
  ASSERT_TRUE(WriteUserFile(Path("second"), "new").ok());
  ASSERT_TRUE(WriteUserFile(Path("dangling"), "made").ok());
  EXPECT_EQ(Content("target"), "new");
  EXPECT_EQ(Content("not-yet"), "made");
  EXPECT_TRUE(fs::is_symlink(Path("link")) && fs::is_symlink(Path("second")));
  EXPECT_TRUE(fs::is_symlink(Path("dangling")));
}

TEST_F(UserFileTest, WritesIntoDevicesAndPipes) {
  ASSERT_TRUE(WriteUserFile("/dev/null", "x").ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = *ReadUserText(Path("pipe"), 100); });
  EXPECT_TRUE(WriteUserFile(Path("pipe"), "through").ok());
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(fs::is_fifo(Path("pipe")));
}

TEST_F(UserFileTest, SaysWhyItCannotWrite) {
  Put("plain", "x");
  struct Case {
    std::string path;
    const char* reason;
  };
  for (const Case& c :
       {Case{folder_, "Is a directory"}, Case{Path("plain/x"), "Not a directory"},
        Case{Path("nowhere/x"), "No such file"}, Case{"/dev/full", "No space left"}}) {
    const Status status = WriteUserFile(c.path, "x");
    EXPECT_EQ(status.code(), StatusCode::kUnknown) << c.path;
    EXPECT_THAT(Message(status), HasSubstr("cannot write " + c.path + ": " + c.reason));
  }
  EXPECT_EQ(Files(), 1u);
}

TEST_F(UserFileTest, ReadsTextAsEditorsWriteIt) {
  Put("marked",
      "\xef\xbb\xbf"
      "first\nsecond\n");
  Put("empty", "");
  Put("wide", std::string("\xff\xfe"
                          "a\0",
                          4));
  EXPECT_EQ(*ReadUserText(Path("marked"), 100), "first\nsecond\n");
  EXPECT_EQ(*ReadUserText(Path("empty"), 100), "");
  EXPECT_EQ(*ReadUserText("/dev/null", 100), "");
  EXPECT_THAT(Message(ReadUserText(Path("wide"), 100).status()), HasSubstr("UTF-16"));
}

TEST_F(UserFileTest, WhatCannotBeReadIsAWrongArgument) {
  Put("long", std::string(101, 'x'));
  struct Case {
    std::string path;
    const char* reason;
  };
  for (const Case& c : {Case{Path("absent"), "No such file"}, Case{folder_, "Is a directory"},
                        Case{Path("long"), "more than 100 bytes"}}) {
    const Status status = ReadUserText(c.path, 100).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.path;
    EXPECT_THAT(Message(status), HasSubstr(c.path));
    EXPECT_THAT(Message(status), HasSubstr(c.reason));
  }
}

TEST_F(UserFileTest, ADashIsStandardInput) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int former = ::dup(STDIN_FILENO);
  ::dup2(ends[0], STDIN_FILENO);
  ASSERT_EQ(::write(ends[1], "a cat\n", 6), 6);
  ::close(ends[1]);
  const auto text = ReadUserText("-", 100);
  ::dup2(former, STDIN_FILENO);
  ::close(former);
  ::close(ends[0]);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(*text, "a cat\n");
}

}  // namespace
}  // namespace phasor
