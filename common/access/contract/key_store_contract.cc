#include "common/access/contract/key_store_contract.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace phasor::access {
namespace {

KeyRecord Record(const std::string& name) {
  return MakeKey(
             {.name = name, .tenant = "a", .roles = {Role::kDraw, Role::kRead}, .expires_ms = 9}, 1)
      ->record;
}

std::vector<KeyRecord> Sorted(std::vector<KeyRecord> records) {
  std::sort(records.begin(), records.end(),
            [](const auto& one, const auto& other) { return one.id < other.id; });
  return records;
}

TEST_P(KeyStoreContract, KeepsWhatWasAddedWholeAndInOrder) {
  std::vector<KeyRecord> records;
  for (const char* name : {"one", "zwei", "trois \"quoted\" \xc3\xa9", ""}) {
    records.push_back(Record(name));
    ASSERT_TRUE(store_->Add(records.back()).ok());
  }
  const auto list = store_->Read();
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->keys, Sorted(records));
  EXPECT_EQ(list->damaged, 0);
}

TEST_P(KeyStoreContract, AddsNoIdTwice) {
  const KeyRecord first = Record("first");
  KeyRecord second = Record("second");
  second.id = first.id;
  ASSERT_TRUE(store_->Add(first).ok());
  EXPECT_EQ(store_->Add(second).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(store_->Read()->keys, std::vector<KeyRecord>{first});
}

TEST_P(KeyStoreContract, RemovesOneAndSaysWhereThereIsNone) {
  const KeyRecord gone = Record("gone");
  const KeyRecord stays = Record("stays");
  ASSERT_TRUE(store_->Add(gone).ok());
  ASSERT_TRUE(store_->Add(stays).ok());
  EXPECT_TRUE(store_->Remove(gone.id).ok());
  EXPECT_EQ(store_->Remove(gone.id).code(), StatusCode::kNotFound);
  EXPECT_EQ(store_->Read()->keys, std::vector<KeyRecord>{stays});
}

TEST_P(KeyStoreContract, TheVersionChangesWithEveryChangeAndOnlyThen) {
  const KeyRecord record = Record("x");
  ASSERT_TRUE(store_->Add(record).ok());
  const std::string added = *store_->Version();
  EXPECT_EQ(*store_->Version(), added);
  EXPECT_EQ(store_->Read()->version, added);
  ASSERT_TRUE(store_->Remove(record.id).ok());
  const std::string removed = *store_->Version();
  EXPECT_NE(removed, added);
  EXPECT_EQ(store_->Read()->version, removed);
}

TEST_P(KeyStoreContract, ManyMayAddAtOnce) {
  std::vector<KeyRecord> records;
  for (int i = 0; i < 24; ++i) records.push_back(Record(std::to_string(i)));
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = static_cast<size_t>(t); i < records.size(); i += 4) {
        EXPECT_TRUE(store_->Add(records[i]).ok());
      }
    });
  }
  threads.clear();
  EXPECT_EQ(store_->Read()->keys, Sorted(records));
}

}  // namespace
}  // namespace phasor::access
