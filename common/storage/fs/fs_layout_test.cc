// Where the folder store keeps things: its shards, what older stores have, and a folder whose
// volume is not mounted.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "common/storage/fs/fs_store.h"
#include "common/storage/fs/layout.h"
#include "common/storage/identity.h"
#include "common/storage/record_codec.h"
#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

namespace fs = std::filesystem;

class FsLayoutTest : public testing::Test {
 protected:
  FsLayoutTest() : folder_(testing::TempDir() + "phasor-layout-XXXXXX") {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    root_ = folder_ + "/store";
    store_ = FsStore::Open({.root = root_}).value();
  }
  ~FsLayoutTest() override { fs::remove_all(folder_); }

  // As stores were before there were shards.
  void WriteOld(const std::string& key, const std::string& bytes) const {
    fs::create_directories(fs::path(root_ + "/" + key).parent_path());
    std::ofstream(root_ + "/" + key) << bytes;
  }
  std::vector<std::string> Walk(int limit) {
    std::vector<std::string> met;
    std::string cursor;
    do {
      const ListPage page = store_->List("jobs", cursor, limit).value();
      for (const StoredObject& object : page.objects) met.push_back(object.key);
      cursor = page.next;
    } while (!cursor.empty() && met.size() < 10'000);
    return met;
  }

  std::string folder_;
  std::string root_;
  std::unique_ptr<FsStore> store_;
};

TEST_F(FsLayoutTest, AJobLiesInTheShardOfItsFirstFourLetters) {
  const std::string id = TestId(1);
  const std::string shard = "jobs/" + id.substr(0, 2) + "/" + id.substr(2, 2) + "/" + id;
  const std::map<std::string, std::string> places = {
      {TerminalKey(id), shard + "/terminal"},
      {TerminalKey(id + "#2"), shard + "#2/terminal"},
      {BlobKey(id, 3, "n", 0), shard + "/r/3-n-0.png"},
      {"jobs/" + id, shard},
      {"jobs/short/x", "jobs/short/x"},
      {"jobs", "jobs"},
      {"identity", "identity"}};
  for (const auto& [key, path] : places) EXPECT_EQ(PathOfKey(key), path) << key;
  EXPECT_EQ(OldPathOfKey(TerminalKey(id)), TerminalKey(id));
  EXPECT_EQ(OldPathOfKey("jobs/short/x"), "");
}

TEST_F(FsLayoutTest, TheFoldersOfTheShardsAreNoKeys) {
  for (const std::string& key : std::vector<std::string>{"jobs/ab/x", "jobs/ab/cd/x",
                                                         "jobs/77/" + TestId(1) + "/terminal"}) {
    EXPECT_EQ(store_->Put(key, "x").code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Get(key).status().code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->Delete(key).code(), StatusCode::kInvalidArgument) << key;
    EXPECT_EQ(store_->List(key, "", 9).status().code(), StatusCode::kInvalidArgument) << key;
  }
  for (const std::string key : {"jobs/abc/x", "jobs/a/x", "jobs/01/x", "jobs/AB/x"}) {
    EXPECT_TRUE(store_->Put(key, "x").ok()) << key;
  }
}

TEST_F(FsLayoutTest, WhatAnOlderStoreHoldsIsReadAndStands) {
  const TerminalRecord record = TestRecord(1);
  WriteOld(TerminalKey(record.id), EncodeRecord(record).value());
  WriteOld(record.images[0].blob, "picture");
  EXPECT_EQ(store_->ReadTerminal(record.id)->nonce, record.nonce);
  EXPECT_EQ(store_->Get(record.images[0].blob).value(), "picture");
  TerminalRecord second = record;
  second.nonce = "second";
  EXPECT_EQ(store_->CreateTerminal(second)->nonce, record.nonce) << "one end, in either place";
  EXPECT_EQ(ListKeys(*store_, "jobs/" + record.id)->size(), 2u);
  for (const std::string& key : {record.images[0].blob, TerminalKey(record.id)}) {
    ASSERT_TRUE(store_->Delete(key).ok());
  }
  EXPECT_EQ(store_->ReadTerminal(record.id).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(ListKeys(*store_, "jobs")->empty());
}

TEST_F(FsLayoutTest, AWalkMeetsJobsOfBothLayoutsOnceAndKeepsEachTogether) {
  std::set<std::string> expected;
  for (int n = 0; n < 60; ++n) {
    const std::string id = TestId(n) + (n % 7 == 0 ? "#2" : "");
    const std::string checkpoint = CheckpointKey(id, 1, 4);
    const std::string blob = BlobKey(id, 1, "n", 0);
    // Old ones, new ones, and ones that began in the old place and went on in the new.
    if (n % 3 != 1) WriteOld(checkpoint, "x");
    if (n % 3 == 1) {
      ASSERT_TRUE(store_->Put(checkpoint, "x").ok());
    }
    if (n % 3 != 0) {
      ASSERT_TRUE(store_->Put(blob, "x").ok());
    }
    expected.insert(checkpoint);
    if (n % 3 != 0) expected.insert(blob);
    if (n % 5 == 0) {  // written again in the new place: one object
      WriteOld(checkpoint, "x");
      ASSERT_TRUE(store_->Put(checkpoint, "again").ok());
    }
  }
  expected.insert("jobs/foreign/x");
  ASSERT_TRUE(store_->Put("jobs/foreign/x", "x").ok());
  for (const int limit : {1, 2, 7, 1000}) {
    const std::vector<std::string> met = Walk(limit);
    EXPECT_EQ(met.size(), expected.size()) << limit;
    EXPECT_EQ(std::set<std::string>(met.begin(), met.end()), expected) << limit;
    EXPECT_TRUE(std::is_sorted(met.begin(), met.end(), [](const auto& a, const auto& b) {
      return std::lexicographical_compare(a.begin(), a.begin() + a.find('/', 5), b.begin(),
                                          b.begin() + b.find('/', 5));
    })) << limit;
  }
}

TEST_F(FsLayoutTest, WhatIsInAWrongShardIsNotMet) {
  const std::string id = TestId(1);
  fs::create_directories(root_ + "/jobs/zz/zz/" + id);
  std::ofstream(root_ + "/jobs/zz/zz/" + id + "/terminal") << "x";
  std::ofstream(root_ + "/jobs/zz/file") << "x";
  EXPECT_TRUE(Walk(10).empty());
}

TEST_F(FsLayoutTest, AFolderWithoutAnIdentityIsNotTouchedByOpening) {
  EXPECT_FALSE(fs::exists(root_)) << "the fixture opened it";
  fs::create_directories(root_);
  ASSERT_TRUE(FsStore::Open({.root = root_}).ok());
  EXPECT_TRUE(fs::is_empty(root_));
  const auto store = FsStore::Open({.root = root_}).value();
  EXPECT_EQ(Identify(*store, "remembered").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FsLayoutTest, AFolderWhoseVolumeIsGoneIsUnavailableAndNothingIsWrittenBesideIt) {
  ASSERT_TRUE(Identify(*store_, "").ok());
  const TerminalRecord old = TestRecord(1);
  ASSERT_TRUE(store_->CreateTerminal(old).ok());
  fs::rename(root_, root_ + ".away");
  fs::create_directories(root_);  // the mount point
  const TerminalRecord other = TestRecord(2);
  EXPECT_EQ(store_->ReadTerminal(old.id).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->ReadTerminal(other.id).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Get(old.images[0].blob).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Put(other.images[0].blob, "x").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->CreateTerminal(old).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->List("jobs", "", 10).status().code(), StatusCode::kUnavailable);
  EXPECT_TRUE(fs::is_empty(root_));
  // Another volume in its place is no better.
  std::ofstream(root_ + "/identity") << "phasor store other\n";
  EXPECT_EQ(store_->ReadTerminal(old.id).status().code(), StatusCode::kUnavailable);
  fs::remove_all(root_);
  EXPECT_EQ(store_->CreateTerminal(other).status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(fs::exists(root_));
  fs::rename(root_ + ".away", root_);
  EXPECT_EQ(store_->ReadTerminal(old.id)->nonce, old.nonce);
  EXPECT_TRUE(store_->CreateTerminal(other).ok());
}

TEST_F(FsLayoutTest, AStoreThatHasItsIdentityIsTriedWhenItIsOpened) {
  const std::string id = Identify(*store_, "").value();
  const auto again = FsStore::Open({.root = root_}).value();
  EXPECT_EQ(Identify(*again, id).value(), id);
  fs::remove(root_ + "/identity");
  EXPECT_EQ(again->List("jobs", "", 1).status().code(), StatusCode::kUnavailable)
      << "known from opening";
}

}  // namespace
}  // namespace phasor::storage
