#include "common/access/stores/file_key_store.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "common/access/contract/key_store_contract.h"
#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::access {
namespace {

std::string FreshPath() { return testing::TempDir() + "keys-" + RandomToken(); }

KeyRecord Record() {
  return MakeKey({.name = "n", .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 0}, 1)->record;
}

INSTANTIATE_TEST_SUITE_P(File, KeyStoreContract, testing::Values([]() -> std::unique_ptr<KeyStore> {
                           return std::make_unique<FileKeyStore>(FreshPath());
                         }));

TEST(FileKeyStoreTest, IsReadableForItsOwnerAlone) {
  const std::string path = FreshPath();
  ASSERT_TRUE(FileKeyStore(path).Add(Record()).ok());
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST(FileKeyStoreTest, WhatIsNoRecordIsCountedAndNeverAKey) {
  const std::string path = FreshPath();
  const KeyRecord good = Record();
  KeyRecord endless = Record();
  const std::string no_end = EncodeKeyRecord(endless).replace(
      EncodeKeyRecord(endless).find("expires_ms"), 10, "expiresms");
  ASSERT_TRUE(WriteFileDurably(path, "# a comment\n\n{}\nnonsense\n" + no_end + "\n" +
                                         EncodeKeyRecord(good) + "\n")
                  .ok());
  const auto list = FileKeyStore(path).Read();
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->keys, std::vector<KeyRecord>{good});
  EXPECT_EQ(list->damaged, 3);
}

TEST(FileKeyStoreTest, TwoOfOneIdAreBothVoid) {
  const std::string path = FreshPath();
  const KeyRecord one = Record();
  KeyRecord twin = Record();
  twin.id = one.id;
  ASSERT_TRUE(
      WriteFileDurably(path, EncodeKeyRecord(one) + "\n" + EncodeKeyRecord(twin) + "\n").ok());
  EXPECT_TRUE(FileKeyStore(path).Read()->keys.empty());
  EXPECT_EQ(FileKeyStore(path).Read()->damaged, 2);
}

TEST(FileKeyStoreTest, AFileThatIsNotThereIsNotFound) {
  EXPECT_EQ(FileKeyStore(FreshPath()).Read().status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace phasor::access
