// Keys in a real Redis: the contract of all stores, and what only Redis can do to us.
#include "common/access/stores/redis_key_store.h"

#include <thread>

#include <gtest/gtest.h>

#include "common/access/authenticator.h"
#include "common/access/contract/key_store_contract.h"
#include "common/testing/redis_server.h"

namespace phasor::access {
namespace {

redis::RedisOptions OptionsFor(const std::string& url) {
  redis::RedisOptions options;
  options.address = redis::ParseRedisUrl(url).value();
  options.command_timeout = Millis(1'000);
  return options;
}

redis::RedisReply Ask(const std::string& url, const std::vector<std::string_view>& words) {
  const auto connection = redis::RedisConnection::Connect(OptionsFor(url)).value();
  return connection->Call(words).value();
}

// One server for the contract, emptied for each test.
std::unique_ptr<KeyStore> MakeStore() {
  static RedisServer server;
  Ask(server.url(), {"FLUSHALL"});
  return std::make_unique<RedisKeyStore>(OptionsFor(server.url()));
}

INSTANTIATE_TEST_SUITE_P(Redis, KeyStoreContract, testing::Values(&MakeStore));

KeyRecord Record() {
  return MakeKey({.name = "n", .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 0}, 1)->record;
}

TEST(RedisKeyStoreTest, WhatOneMadeAnotherReadsAndKeepsOverARestart) {
  RedisServer server;
  const KeyRecord record = Record();
  ASSERT_TRUE(RedisKeyStore(OptionsFor(server.url())).Add(record).ok());
  server.Kill();
  server.Start();
  EXPECT_EQ(RedisKeyStore(OptionsFor(server.url())).Read()->keys, std::vector<KeyRecord>{record});
}

TEST(RedisKeyStoreTest, AChangeIsGivenToOneOfAllWhoAskWithWhoAndWhen) {
  RedisServer server;
  RedisKeyStore desk(OptionsFor(server.url()), "alice@desk");
  const KeyRecord record = Record();
  const SystemClock clock;
  const int64_t before = clock.WallMillis();
  ASSERT_TRUE(desk.Add(record).ok());
  ASSERT_FALSE(desk.Add(record).ok());
  ASSERT_TRUE(RedisKeyStore(OptionsFor(server.url()), "bob@\"home\"\n").Remove(record.id).ok());
  ASSERT_FALSE(desk.Remove(record.id).ok());
  RedisKeyStore gateways[] = {RedisKeyStore(OptionsFor(server.url())),
                              RedisKeyStore(OptionsFor(server.url()))};
  std::vector<KeyChange> changes = *gateways[0].TakeChanges();
  EXPECT_TRUE(gateways[1].TakeChanges()->empty());
  ASSERT_EQ(changes.size(), 2u);
  for (KeyChange& change : changes) {
    EXPECT_GE(change.at_ms, before);
    EXPECT_LE(change.at_ms, clock.WallMillis());
    change.at_ms = 0;
  }
  KeyChange expected{.made = true,
                     .id = record.id,
                     .name = "n",
                     .tenant = "a",
                     .roles = "draw",
                     .by = "alice@desk",
                     .at_ms = 0};
  EXPECT_EQ(changes[0], expected);
  expected.made = false;
  expected.by = "bob@\"home\"\n";
  EXPECT_EQ(changes[1], expected);
}

TEST(RedisKeyStoreTest, AFleetThatNobodyAuditsKeepsTheLastThousandChanges) {
  RedisServer server;
  RedisKeyStore store(OptionsFor(server.url()));
  std::string last;
  for (int i = 0; i < 1'005; ++i) {
    const KeyRecord record = Record();
    ASSERT_TRUE(store.Add(record).ok());
    last = record.id;
  }
  const auto changes = store.TakeChanges();
  ASSERT_EQ(changes->size(), 1'000u);
  EXPECT_EQ(changes->back().id, last);
}

TEST(RedisKeyStoreTest, ADamagedRecordCanBeRevokedAndWhatIsNoChangeSaysNothing) {
  RedisServer server;
  Ask(server.url(), {"HSET", "{phasor}:keys", "aaaaaaaaaaaaaaaa", "broken"});
  Ask(server.url(), {"RPUSH", "{phasor}:keys:changes", "{\"roles\":1,\"made\":2}", "no json"});
  RedisKeyStore store(OptionsFor(server.url()));
  ASSERT_TRUE(store.Remove("aaaaaaaaaaaaaaaa").ok());
  const auto changes = store.TakeChanges();
  ASSERT_EQ(changes->size(), 3u);
  EXPECT_EQ((*changes)[0], KeyChange{});
  EXPECT_EQ((*changes)[1], KeyChange{});
  EXPECT_EQ((*changes)[2].id, "aaaaaaaaaaaaaaaa");
}

TEST(RedisKeyStoreTest, ARecordUnderAnotherIdIsVoid) {
  RedisServer server;
  Ask(server.url(), {"HSET", "{phasor}:keys", "aaaaaaaaaaaaaaaa", EncodeKeyRecord(Record())});
  const auto list = RedisKeyStore(OptionsFor(server.url())).Read();
  EXPECT_TRUE(list->keys.empty());
  EXPECT_EQ(list->damaged, 1);
}

TEST(RedisKeyStoreTest, WhileRedisIsAwayKeysAreAsTheyWereAndARevocationComesLater) {
  RedisServer server;
  RedisKeyStore store(OptionsFor(server.url()));
  const SystemClock clock;
  const MadeKey made = *MakeKey({.name = "n", .tenant = "a", .roles = {Role::kDraw}}, 1);
  ASSERT_TRUE(store.Add(made.record).ok());
  Authenticator authenticator({.keys = &store, .tokens = nullptr, .clock = &clock});
  ASSERT_TRUE(authenticator.Refresh().ok());
  server.Kill();
  EXPECT_EQ(authenticator.Refresh().code(), StatusCode::kUnavailable);
  EXPECT_EQ(authenticator.Check("Bearer " + made.key).trouble, Trouble::kNone);
  server.Start();
  ASSERT_TRUE(RedisKeyStore(OptionsFor(server.url())).Remove(made.record.id).ok());
  Status refreshed = authenticator.Refresh();
  for (int i = 0; i < 100 && !refreshed.ok(); ++i) {
    std::this_thread::sleep_for(Millis(50));
    refreshed = authenticator.Refresh();
  }
  EXPECT_TRUE(refreshed.ok()) << refreshed;
  EXPECT_EQ(authenticator.Check("Bearer " + made.key).trouble, Trouble::kUnknown);
}

}  // namespace
}  // namespace phasor::access
