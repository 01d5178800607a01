// A disk that fails after a file has got its name: this program's own fsync() fails for folders
// when a test says so.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/storage/fs/folder.h"
#include "common/storage/fs/fs_store.h"
#include "common/storage/fs/layout.h"
#include "common/storage/identity.h"
#include "common/storage/result_store_contract.h"

namespace {

int folder_error = 0;  // errno of fsync() of a folder; 0: none

bool IsFolder(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

extern "C" int fsync(int fd) {
  static const auto real = reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"));
  if (folder_error == 0 || !IsFolder(fd)) return real(fd);
  errno = folder_error;
  return -1;
}

namespace phasor::storage {
namespace {

namespace fs = std::filesystem;

class LateFailureTest : public testing::TestWithParam<int> {
 protected:
  LateFailureTest() : folder_(testing::TempDir() + "phasor-late-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    store_ = FsStore::Open({.root = folder_}).value();
    EXPECT_TRUE(Identify(*store_, "").ok());
  }
  ~LateFailureTest() override {
    folder_error = 0;
    fs::remove_all(folder_);
  }
  void Fail() { folder_error = GetParam(); }

  std::string folder_;
  std::unique_ptr<FsStore> store_;
};

TEST_P(LateFailureTest, ARecordThatStandsIsUnknownNotRefused) {
  const TerminalRecord record = TestRecord(1);
  ASSERT_TRUE(store_->Put(record.images[0].blob, "picture").ok());  // its folders are there
  Fail();
  EXPECT_EQ(store_->CreateTerminal(record).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->ReadTerminal(record.id)->nonce, record.nonce);
  EXPECT_EQ(store_->CreateTerminal(record).status().code(), StatusCode::kUnavailable) << "again";
  TerminalRecord other = record;
  other.nonce = "other";
  EXPECT_EQ(store_->CreateTerminal(other).status().code(), StatusCode::kUnavailable);
  folder_error = 0;
  EXPECT_EQ(store_->CreateTerminal(other)->nonce, record.nonce);
}

TEST_P(LateFailureTest, ABlobThatMayStandIsUnknown) {
  ASSERT_TRUE(store_->Put("a/b", "old").ok());
  Fail();
  EXPECT_EQ(store_->Put("a/b", "new").code(), StatusCode::kUnavailable);
}

TEST_P(LateFailureTest, AFolderThatCouldNotBeMadeDurablyIsMadeAnew) {
  Fail();
  EXPECT_FALSE(MakeFolderDurably(folder_ + "/x").ok());
  EXPECT_FALSE(fs::exists(folder_ + "/x")) << "or the repeat would take it for durable";
  folder_error = 0;
  EXPECT_TRUE(MakeFolderDurably(folder_ + "/x").ok());
}

INSTANTIATE_TEST_SUITE_P(Errors, LateFailureTest, testing::Values(ENOSPC, EDQUOT, EIO));

}  // namespace
}  // namespace phasor::storage
