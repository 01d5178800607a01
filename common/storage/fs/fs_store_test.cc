#include "common/storage/fs/fs_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/storage/fs/layout.h"
#include "common/storage/identity.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

namespace fs = std::filesystem;

std::string NewFolder() {
  std::string pattern = testing::TempDir() + "phasor-store-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  return pattern;
}

// A store in a folder of its own, which goes with it.
class TemporaryStore final : public ResultStore {
 public:
  TemporaryStore() : folder_(NewFolder()) {
    store_ = FsStore::Open({folder_ + "/deep/er"}).value();
  }
  ~TemporaryStore() override { fs::remove_all(folder_); }

  Status Put(const std::string& key, std::string_view bytes) override {
    return store_->Put(key, bytes);
  }
  StatusOr<std::string> Get(const std::string& key) override { return store_->Get(key); }
  Status Delete(const std::string& key) override { return store_->Delete(key); }
  StatusOr<ListPage> List(const std::string& prefix, const std::string& cursor,
                          int limit) override {
    return store_->List(prefix, cursor, limit);
  }
  StatusOr<TerminalRecord> CreateTerminal(const TerminalRecord& record) override {
    return store_->CreateTerminal(record);
  }
  std::vector<StatusOr<TerminalRecord>> ReadTerminals(const std::vector<job::JobId>& ids) override {
    return store_->ReadTerminals(ids);
  }
  StatusOr<std::string> CreateOnce(const std::string& key, std::string_view bytes) override {
    return store_->CreateOnce(key, bytes);
  }
  std::string root() const { return folder_ + "/deep/er"; }

 private:
  std::string folder_;
  std::unique_ptr<FsStore> store_;
};

std::unique_ptr<ResultStore> Make() { return std::make_unique<TemporaryStore>(); }

INSTANTIATE_TEST_SUITE_P(Fs, ResultStoreContract, testing::Values(&Make));

size_t FilesBelow(const std::string& folder) {
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    files += entry.is_regular_file();
  }
  return files;
}

// Files of this process end at 4 KiB while it lives, as on a disk that runs full.
class FullDisk {
 public:
  FullDisk() {
    previous_handler_ = ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &previous_);
    rlimit limit = previous_;
    limit.rlim_cur = 4096;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &previous_);
    ::signal(SIGXFSZ, previous_handler_);
  }

 private:
  rlimit previous_{};
  sighandler_t previous_handler_ = SIG_DFL;
};

TEST(FsStoreTest, AFullDiskIsExhaustedAndNothingHalfWrittenIsLeft) {
  TemporaryStore store;
  ASSERT_TRUE(store.Put("jobs/a/blob", "old").ok());
  TerminalRecord record = TestRecord(1);
  record.details.assign(10'000, 'x');
  {
    const FullDisk full;
    EXPECT_EQ(store.Put("jobs/a/blob", std::string(10'000, 'x')).code(),
              StatusCode::kResourceExhausted);
    EXPECT_EQ(store.CreateTerminal(record).status().code(), StatusCode::kResourceExhausted);
  }
  EXPECT_EQ(store.Get("jobs/a/blob").value(), "old");
  EXPECT_EQ(store.ReadTerminal(record.id).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(FilesBelow(store.root()), 1u);
  EXPECT_TRUE(store.CreateTerminal(record).ok()) << "it works again when there is room";
}

TEST(FsStoreTest, UnfinishedAndForeignFilesAreInvisible) {
  TemporaryStore store;
  ASSERT_TRUE(store.Put("jobs/a/r/1.png", "x").ok());
  std::ofstream(store.root() + "/jobs/a/r/2.png.tmp-abc") << "half";
  std::ofstream(store.root() + "/jobs/a/r/with space") << "foreign";
  EXPECT_EQ(ListKeys(store, "jobs/a").value(), std::vector<std::string>{"jobs/a/r/1.png"});
}

// Makes a file or folder look as if nobody had touched it for `hours`.
void Age(const std::string& path, int hours) {
  const auto now = std::chrono::file_clock::now();
  fs::last_write_time(path, now - std::chrono::hours(hours));
}

TEST(FsStoreTest, AListingClearsAwayWhatACrashLeft) {
  TemporaryStore store;
  const std::string job = store.root() + "/jobs/a";
  ASSERT_TRUE(store.Put("jobs/a/r/1.png", "x").ok());
  for (const std::string name : {"/r/1.png.tmp-old", "/r/1.png.tmp-new", "/r/a b", "/r/x"}) {
    std::ofstream(job + name) << "half";
  }
  Age(job + "/r/1.png.tmp-old", 2);
  Age(job + "/r/a b", 2);
  Age(job + "/r/x", 2);
  EXPECT_EQ(ListKeys(store, "jobs").value(),
            (std::vector<std::string>{"jobs/a/r/1.png", "jobs/a/r/x"}));
  EXPECT_FALSE(fs::exists(job + "/r/1.png.tmp-old"));
  EXPECT_TRUE(fs::exists(job + "/r/1.png.tmp-new")) << "somebody may still be writing it";
  EXPECT_TRUE(fs::exists(job + "/r/a b")) << "not ours";
}

TEST(FsStoreTest, FoldersThatStayEmptyGo) {
  TemporaryStore store;
  const std::string jobs = store.root() + "/jobs";
  ASSERT_TRUE(store.Put("jobs/a/r/1.png", "x").ok());
  ASSERT_TRUE(store.Delete("jobs/a/r/1.png").ok());
  EXPECT_TRUE(ListKeys(store, "jobs")->empty());
  EXPECT_TRUE(fs::exists(jobs + "/a/r")) << "it has just been used";
  for (const std::string folder : {"/a/r", "/a"}) {
    Age(jobs + "/a", 2);
    Age(jobs + folder, 2);
    EXPECT_TRUE(ListKeys(store, "jobs")->empty());
    EXPECT_FALSE(fs::exists(jobs + folder));
  }
  EXPECT_TRUE(fs::exists(jobs)) << "the prefix itself stays";
  EXPECT_TRUE(store.Put("jobs/a/r/1.png", "x").ok()) << "and they are made again";
}

TEST(FsStoreTest, LinksAreNotFollowed) {
  TemporaryStore store;
  ASSERT_TRUE(store.Put("jobs/a/r/1.png", "x").ok());
  fs::create_directory_symlink("/", store.root() + "/jobs/b");
  fs::create_symlink("/etc/passwd", store.root() + "/jobs/a/r/2.png");
  EXPECT_EQ(ListKeys(store, "jobs").value(), std::vector<std::string>{"jobs/a/r/1.png"});
}

TEST(FsStoreTest, ACursorOfAnotherListingIsRefused) {
  TemporaryStore store;
  ASSERT_TRUE(store.Put("jobs/a/r/1.png", "x").ok());
  for (const std::string cursor : {"other/a", "jobs", "jobs/", "jobs/../x", "x y"}) {
    EXPECT_EQ(store.List("jobs", cursor, 10).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(FsStoreTest, WritersAndAClearingListingDoNotDisturbEachOther) {
  const std::string folder = NewFolder();
  // Everything looks old at once: the listing removes each folder that is empty for a moment.
  const auto store = FsStore::Open({.root = folder, .leftover_age = Millis(-60'000)}).value();
  std::atomic<bool> done = false;
  std::thread listing([&] {
    while (!done) EXPECT_TRUE(store->List("jobs", "", 1000).ok());
  });
  for (int i = 0; i < 200; ++i) {
    const std::string key = "jobs/" + std::to_string(i % 3) + "/r/1";
    const Status put = store->Put(key, "bytes");
    // Its unfinished file may have been taken away: an error that may be repeated, never silence.
    if (put.ok()) {
      EXPECT_EQ(store->Get(key).value(), "bytes");
    } else {
      EXPECT_EQ(put.code(), StatusCode::kUnavailable) << put;
    }
    EXPECT_TRUE(store->Delete(key).ok());
  }
  done = true;
  listing.join();
  EXPECT_TRUE(store->Put("jobs/0/r/1", "bytes").ok());  // however often it failed before
  fs::remove_all(folder);
}

TEST(FsStoreTest, ABrokenRecordIsNamed) {
  TemporaryStore store;
  ASSERT_TRUE(store.CreateTerminal(TestRecord(1)).ok());
  const std::string path = store.root() + "/" + PathOfKey(TerminalKey(TestId(1)));
  fs::resize_file(path, 20);
  const Status status = store.ReadTerminal(TestId(1)).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_NE(Message(status).find(path), std::string::npos) << status;
}

TEST(FsStoreTest, ARecordOfAnotherJobIsNotTaken) {
  TemporaryStore store;
  ASSERT_TRUE(store.CreateTerminal(TestRecord(1)).ok());
  fs::create_directories(store.root() + "/" + PathOfKey("jobs/" + TestId(2)));
  fs::copy_file(store.root() + "/" + PathOfKey(TerminalKey(TestId(1))),
                store.root() + "/" + PathOfKey(TerminalKey(TestId(2))));
  EXPECT_EQ(store.ReadTerminal(TestId(2)).status().code(), StatusCode::kDataLoss);
}

TEST(FsStoreTest, BlobsHaveALimit) {
  const std::string folder = NewFolder();
  const auto store = FsStore::Open({folder, 100}).value();
  const Status refused = store->Put("k", std::string(101, 'x'));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(Message(refused).find("limit is 100"), std::string::npos) << refused;
  std::ofstream(folder + "/large") << std::string(101, 'x');
  EXPECT_EQ(store->Get("large").status().code(), StatusCode::kResourceExhausted);
  fs::remove_all(folder);
}

TEST(FsStoreTest, AFolderThatCannotBeUsedFailsAtTheStart) {
  EXPECT_EQ(FsStore::Open({""}).status().code(), StatusCode::kInvalidArgument);
  const std::string folder = NewFolder();
  std::ofstream(folder + "/file") << "x";
  EXPECT_FALSE(FsStore::Open({folder + "/file"}).ok());
  for (const std::string& nowhere :
       {std::string("/proc/nothing/here"), folder + "/file/below/it"}) {
    const Status status = FsStore::Open({nowhere}).status();
    EXPECT_FALSE(status.ok()) << nowhere;
    EXPECT_NE(Message(status).find(nowhere), std::string::npos) << status;
  }
  fs::remove_all(folder);
}

TEST(FsStoreTest, OpeningAFolderThatIsNotThereLeavesNothingBehind) {
  const std::string folder = NewFolder();
  for (const char* below : {"/a", "/b/c/d", "/e/f/"}) {
    EXPECT_TRUE(FsStore::Open({folder + below}).ok()) << below;
    EXPECT_TRUE(fs::is_empty(folder)) << below;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace phasor::storage
