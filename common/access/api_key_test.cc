#include "common/access/api_key.h"

#include <gtest/gtest.h>

namespace phasor::access {
namespace {

const KeyGrant kGrant{.name = "laptop", .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 50};

TEST(ApiKeyTest, AKeyProvesItsRecordAndNoOther) {
  const MadeKey made = *MakeKey(kGrant, 10);
  const MadeKey other = *MakeKey(kGrant, 10);
  const auto parts = SplitKey(made.key);
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->id, made.record.id);
  EXPECT_TRUE(Proves(parts->secret, made.record));
  EXPECT_FALSE(Proves(parts->secret, other.record));
  EXPECT_FALSE(Proves("", made.record));
}

TEST(ApiKeyTest, WhatIsKeptHoldsNothingOfTheSecret) {
  const MadeKey made = *MakeKey(kGrant, 10);
  const std::string kept = EncodeKeyRecord(made.record);
  EXPECT_EQ(kept.find(SplitKey(made.key)->secret), std::string::npos);
  const MadeKey again = *MakeKey(kGrant, 10);
  EXPECT_NE(again.record.salt, made.record.salt);
}

TEST(ApiKeyTest, WhatDoesNotLookLikeAKeyIsNone) {
  const std::string key = MakeKey(kGrant, 10)->key;
  EXPECT_FALSE(SplitKey("").has_value());
  EXPECT_FALSE(SplitKey(key + "a").has_value());
  EXPECT_FALSE(SplitKey(key.substr(1)).has_value());
  for (const size_t at : {size_t{0}, size_t{3}, size_t{6}, size_t{20}, key.size() - 1}) {
    std::string bent = key;
    bent[at] = '!';
    EXPECT_FALSE(SplitKey(bent).has_value()) << at;
  }
}

TEST(ApiKeyTest, GrantsThatMakeNoSenseAreRefused) {
  for (const KeyGrant& bad :
       {KeyGrant{.name = "x", .tenant = "", .roles = {Role::kDraw}, .expires_ms = 0},
        KeyGrant{.name = "x", .tenant = "a", .roles = {}, .expires_ms = 0},
        KeyGrant{.name = "x", .tenant = "a b", .roles = {Role::kDraw}, .expires_ms = 0},
        KeyGrant{.name = "x\n", .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 0},
        KeyGrant{
            .name = std::string(101, 'x'), .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 0},
        KeyGrant{.name = "x", .tenant = "a", .roles = {Role::kDraw}, .expires_ms = 10}}) {
    EXPECT_EQ(MakeKey(bad, 10).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(ApiKeyTest, RecordsComeBackAsTheyWere) {
  const KeyRecord record = MakeKey(kGrant, 10)->record;
  EXPECT_EQ(*DecodeKeyRecord(EncodeKeyRecord(record)), record);
}

// Each line lets a key in that nobody made, or that never ends.
TEST(ApiKeyTest, ABentRecordIsNoRecord) {
  KeyRecord whole = MakeKey(kGrant, 10)->record;
  const auto bent = [&](auto bend) {
    KeyRecord record = whole;
    bend(record);
    return DecodeKeyRecord(EncodeKeyRecord(record)).status().code();
  };
  EXPECT_EQ(bent([](KeyRecord& r) { r.hash = ""; }), StatusCode::kDataLoss);
  EXPECT_EQ(bent([](KeyRecord& r) { r.salt = ""; }), StatusCode::kDataLoss);
  EXPECT_EQ(bent([](KeyRecord& r) { r.id = "x"; }), StatusCode::kDataLoss);
  EXPECT_EQ(bent([](KeyRecord& r) { r.tenant = ""; }), StatusCode::kDataLoss);
  EXPECT_EQ(bent([](KeyRecord& r) { r.roles = {}; }), StatusCode::kDataLoss);
  EXPECT_EQ(bent([](KeyRecord& r) { r.expires_ms = -1; }), StatusCode::kDataLoss);
  for (const char* text : {"", "[]", "{}", "null", "{\"id\":1}"}) {
    EXPECT_EQ(DecodeKeyRecord(text).status().code(), StatusCode::kDataLoss) << text;
  }
}

}  // namespace
}  // namespace phasor::access
