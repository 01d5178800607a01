// The result store in a real Redis: the contract of all stores, and what only Redis can do to us.
#include "common/storage/redis/redis_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "common/storage/result_store_contract.h"
#include "common/testing/redis_server.h"

namespace phasor::storage {
namespace {

using testing::HasSubstr;

RedisStoreOptions OptionsFor(const std::string& url) {
  RedisStoreOptions options;
  options.redis.address = redis::ParseRedisUrl(url).value();
  options.redis.connect_timeout = Millis(1'000);
  options.redis.command_timeout = Millis(1'000);
  return options;
}

redis::RedisReply Call(const std::string& url, const std::vector<std::string_view>& arguments) {
  const auto connection = redis::RedisConnection::Connect(OptionsFor(url).redis).value();
  return connection->Call(arguments).value();
}

// One server for the contract, emptied for each test.
std::unique_ptr<ResultStore> Make() {
  static RedisServer server;
  Call(server.url(), {"FLUSHALL"});
  return RedisStore::Open(OptionsFor(server.url())).value();
}

INSTANTIATE_TEST_SUITE_P(Redis, ResultStoreContract, testing::Values(&Make));

class RedisStoreTest : public testing::Test {
 protected:
  void Open(const RedisStoreOptions& options) { store_ = RedisStore::Open(options).value(); }
  std::string Object(const std::string& key) const { return "{phasor-store}:o:" + key; }
  int64_t Ttl(const std::string& key) {
    return Call(server_.url(), {"PTTL", Object(key)}).AsInteger();
  }

  RedisServer server_;
  RedisStoreOptions options_ = OptionsFor(server_.url());
  std::unique_ptr<RedisStore> store_;
};

TEST_F(RedisStoreTest, BlobsAndRecordsLiveTheirOwnTime) {
  options_.blob_ttl = Millis(100'000);
  options_.record_ttl = Millis(1'000'000);
  Open(options_);
  ASSERT_TRUE(store_->Put("k", "v").ok());
  ASSERT_TRUE(store_->CreateTerminal(TestRecord(1)).ok());
  EXPECT_GT(Ttl("k"), 50'000);
  EXPECT_LE(Ttl("k"), 100'000);
  EXPECT_GT(Ttl(TerminalKey(TestId(1))), 500'000);
}

TEST_F(RedisStoreTest, WithoutATimeNothingExpires) {
  options_.blob_ttl = Millis(0);
  options_.record_ttl = Millis(0);
  Open(options_);
  ASSERT_TRUE(store_->Put("k", "v").ok());
  ASSERT_TRUE(store_->CreateTerminal(TestRecord(1)).ok());
  EXPECT_EQ(Ttl("k"), -1);
  EXPECT_EQ(Ttl(TerminalKey(TestId(1))), -1);
}

TEST_F(RedisStoreTest, ARecordNeverExpiresBeforeItsBlobs) {
  const struct {
    Millis blob;
    Millis record;
    bool ok;
  } cases[] = {{Millis(10'000), Millis(9'999), false}, {Millis(0), Millis(9'999), false},
               {Millis(10'000), Millis(0), true},      {Millis(10'000), Millis(10'000), true},
               {Millis(-1), Millis(0), false},         {Millis(0), Millis(-1), false}};
  for (const auto& [blob, record, ok] : cases) {
    options_.blob_ttl = blob;
    options_.record_ttl = record;
    EXPECT_EQ(RedisStore::Open(options_).ok(), ok) << blob.count() << " " << record.count();
  }
}

TEST_F(RedisStoreTest, WhatExpiredLeavesTheIndexWithTheNextListing) {
  Open(options_);
  for (const std::string key : {"a/1", "a/2", "a/3"}) ASSERT_TRUE(store_->Put(key, "v").ok());
  Call(server_.url(), {"DEL", Object("a/2")});
  EXPECT_EQ(ListKeys(*store_, "a").value(), (std::vector<std::string>{"a/1", "a/3"}));
  EXPECT_EQ(Call(server_.url(), {"ZCARD", "{phasor-store}:index"}).AsInteger(), 2);
}

TEST_F(RedisStoreTest, BlobsAboveTheLimitAreRefusedWithTheLimit) {
  options_.max_blob_bytes = 100;
  Open(options_);
  EXPECT_TRUE(store_->Put("k", std::string(100, 'x')).ok());
  const Status refused = store_->Put("k", std::string(101, 'x'));
  EXPECT_EQ(refused.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(refused), HasSubstr("limit is 100"));
}

TEST_F(RedisStoreTest, AFullRedisIsExhaustedAndDeletingStillWorks) {
  Open(options_);
  ASSERT_TRUE(store_->Put("old", "bytes").ok());
  Call(server_.url(), {"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(store_->Put("new", "bytes").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Put("old", "other").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Get("old").value(), "bytes");
  EXPECT_EQ(store_->Get("new").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(store_->Delete("old").ok());
  Call(server_.url(), {"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_TRUE(store_->CreateTerminal(TestRecord(1)).ok());
}

TEST_F(RedisStoreTest, ARedisThatEvictsIsRefusedAtTheStart) {
  Call(server_.url(), {"CONFIG", "SET", "maxmemory", "100mb"});
  for (const std::string policy : {"allkeys-lru", "volatile-ttl"}) {
    Call(server_.url(), {"CONFIG", "SET", "maxmemory-policy", policy});
    const Status status = RedisStore::Open(options_).status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(Message(status), HasSubstr(policy));
    EXPECT_THAT(Message(status), HasSubstr("noeviction"));
  }
  Call(server_.url(), {"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_TRUE(RedisStore::Open(options_).ok());
}

TEST_F(RedisStoreTest, ARedisThatIsAwayIsUnavailableAndComesBackWithItsRecords) {
  Open(options_);
  ASSERT_TRUE(store_->CreateTerminal(TestRecord(1)).ok());
  ASSERT_TRUE(store_->Put("k", "v").ok());
  server_.Kill();
  EXPECT_EQ(store_->Put("k", "w").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Get("k").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Delete("k").code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->List("jobs", "", 10).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->ReadTerminal(TestId(1)).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->CreateTerminal(TestRecord(2)).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(RedisStore::Open(options_).status().code(), StatusCode::kUnavailable);

  server_.Start();
  StatusOr<TerminalRecord> stands = Unavailable("not asked");
  for (int tries = 0; !stands.ok() && tries < 100; ++tries) {
    stands = store_->ReadTerminal(TestId(1));  // fails at once while the connection pauses
    if (!stands.ok()) std::this_thread::sleep_for(Millis(20));
  }
  ASSERT_TRUE(stands.ok()) << stands.status();
  EXPECT_EQ(stands->nonce, "nonce");
}

TEST_F(RedisStoreTest, AnAnswerThatIsLateIsUnknownAndTheRepeatFindsItsOwnRecord) {
  Open(options_);
  ASSERT_TRUE(store_->Put("k", "v").ok());
  server_.Pause();
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kUnavailable);
  server_.Resume();
  StatusOr<TerminalRecord> stands = Unavailable("not asked");
  for (int tries = 0; !stands.ok() && tries < 100; ++tries) {
    stands = store_->CreateTerminal(TestRecord(1));
    if (!stands.ok()) std::this_thread::sleep_for(Millis(20));
  }
  ASSERT_TRUE(stands.ok()) << stands.status();
  EXPECT_EQ(stands->nonce, TestRecord(1).nonce);
}

TEST_F(RedisStoreTest, ForeignValuesAreDataLossNotACrash) {
  Open(options_);
  for (const std::string value : {"no stamp", "\nx", "12x\nbytes", "1700000000000000000\nx"}) {
    Call(server_.url(), {"SET", Object("k"), value});
    EXPECT_EQ(store_->Get("k").status().code(), StatusCode::kDataLoss) << value;
  }
  const std::string record = TerminalKey(TestId(1));
  Call(server_.url(), {"SET", Object(record), "1700000000000\n{\"version\":1"});
  EXPECT_EQ(store_->ReadTerminal(TestId(1)).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(store_->CreateTerminal(TestRecord(1)).status().code(), StatusCode::kDataLoss);
  Call(server_.url(), {"DEL", Object("k")});
  Call(server_.url(), {"LPUSH", Object("k"), "x"});
  EXPECT_EQ(store_->Get("k").status().code(), StatusCode::kUnavailable) << "of another type";
}

}  // namespace
}  // namespace phasor::storage
