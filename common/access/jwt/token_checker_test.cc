#include "common/access/jwt/token_checker.h"

#include <cstdio>
#include <memory>
#include <vector>

extern "C" {
#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
}

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::access {
namespace {

constexpr int64_t kNow = 1'700'000'000'000;

struct Release {
  void operator()(json_t* json) const { json_decref(json); }
};
using Json = std::unique_ptr<json_t, Release>;

// A private key of an issuer's.
Json MakeKey(const std::string& algorithm, const std::string& id) {
  Json key(json_pack("{s:s,s:s}", "alg", algorithm.c_str(), "kid", id.c_str()));
  EXPECT_TRUE(jose_jwk_gen(nullptr, key.get()));
  return key;
}

std::string SetOf(const std::vector<const json_t*>& keys) {
  const Json set(json_pack("{s:[]}", "keys"));
  for (const json_t* key : keys) {
    json_t* open = json_deep_copy(key);
    jose_jwk_pub(nullptr, open);
    json_array_append_new(json_object_get(set.get(), "keys"), open);
  }
  const std::unique_ptr<char, void (*)(void*)> text(json_dumps(set.get(), 0), free);
  return text.get();
}

std::string Encoded(const std::string& text) {
  const Json json(jose_b64_enc(text.data(), text.size()));
  return json_string_value(json.get());
}

constexpr char kPayload[] =
    R"({"iss":"i","aud":"phasor","sub":"s","tenant":"t","roles":["draw"],"exp":1700000300})";

std::string Sign(const json_t* key, const std::string& header, const std::string& payload) {
  const Json jws(json_pack("{s:s}", "payload", Encoded(payload).c_str()));
  const Json signature(json_pack("{s:o}", "protected", json_loads(header.c_str(), 0, nullptr)));
  EXPECT_TRUE(jose_jws_sig(nullptr, jws.get(), signature.get(), key));
  const auto part = [&](const char* name) {
    return std::string(json_string_value(json_object_get(jws.get(), name)));
  };
  return part("protected") + "." + part("payload") + "." + part("signature");
}

std::string Header(const std::string& algorithm, const std::string& id) {
  return R"({"alg":")" + algorithm + R"(","kid":")" + id + R"("})";
}

class TokenCheckerTest : public testing::Test {
 protected:
  void Publish(const std::string& keys) {
    ASSERT_TRUE(WriteFileDurably(path_, keys).ok());
    if (checker_ == nullptr) {
      checker_ = *TokenChecker::Make({.jwks = path_, .issuer = "i", .audience = "phasor"}, &clock_);
    }
    ASSERT_TRUE(checker_->Refresh().ok());
  }
  Trouble TroubleOf(const std::string& token) { return checker_->Check(token, kNow).trouble; }

  const FakeClock clock_;
  const std::string path_ = testing::TempDir() + "jwks-" + RandomToken();
  std::unique_ptr<TokenChecker> checker_;
};

TEST_F(TokenCheckerTest, EachAlgorithmOfTheListIsVerified) {
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"}) {
    const Json key = MakeKey(algorithm, "k");
    Publish(SetOf({key.get()}));
    const std::string token = Sign(key.get(), Header(algorithm, "k"), kPayload);
    const Judged judged = checker_->Check(token, kNow);
    ASSERT_EQ(judged.trouble, Trouble::kNone) << algorithm;
    EXPECT_EQ(judged.identity->tenant, "t");
    EXPECT_EQ(TroubleOf(token), Trouble::kNone) << "remembered";
    EXPECT_EQ(checker_->Check(token, kNow + 361'000).trouble, Trouble::kOver) << "remembered";
  }
}

TEST_F(TokenCheckerTest, WhatSignsNothingIsNoToken) {
  const Json key = MakeKey("ES256", "k");
  Publish(SetOf({key.get()}));
  const std::string good = Sign(key.get(), Header("ES256", "k"), kPayload);
  const std::string signature = good.substr(good.rfind('.') + 1);
  const std::string payload = Encoded(kPayload);
  for (const std::string& token :
       {std::string(), std::string("a"), std::string("a.b"), std::string(".."), good + ".x",
        Encoded(Header("none", "k")) + "." + payload + ".",
        Encoded(Header("none", "k")) + "." + payload + "." + signature,
        Encoded(Header("HS256", "k")) + "." + payload + "." + signature,
        Encoded(Header("EdDSA", "k")) + "." + payload + "." + signature,
        Encoded(Header("es256", "k")) + "." + payload + "." + signature,
        Encoded("[]") + "." + payload + "." + signature,
        Encoded(R"({"alg":"ES256","kid":"k","crit":["x"],"x":1})") + "." + payload + "." +
            signature}) {
    EXPECT_EQ(TroubleOf(token), Trouble::kMalformed) << token;
  }
}

TEST_F(TokenCheckerTest, AnotherPayloadOrAnotherKeyIsWrong) {
  const Json key = MakeKey("ES256", "k");
  const Json thief = MakeKey("ES256", "k");
  Publish(SetOf({key.get()}));
  const std::string good = Sign(key.get(), Header("ES256", "k"), kPayload);
  const size_t first = good.find('.');
  const size_t second = good.rfind('.');
  std::string claims = kPayload;
  claims.replace(claims.find("\"t\""), 3, "\"x\"");
  EXPECT_EQ(TroubleOf(good.substr(0, first + 1) + Encoded(claims) + good.substr(second)),
            Trouble::kWrong);
  EXPECT_EQ(TroubleOf(Sign(thief.get(), Header("ES256", "k"), kPayload)), Trouble::kWrong);
}

// A public key is no secret: who knows it must not be able to sign with it as with one.
TEST_F(TokenCheckerTest, AKeyServesTheAlgorithmsOfItsKindAlone) {
  const Json rsa = MakeKey("RS256", "k");
  const Json shared = MakeKey("HS256", "k");
  Publish(SetOf({rsa.get(), shared.get()}));
  EXPECT_EQ(TroubleOf(Sign(shared.get(), Header("HS256", "k"), kPayload)), Trouble::kMalformed);
  // The key says RS256.
  json_object_set_new(rsa.get(), "alg", json_string("PS256"));
  EXPECT_EQ(TroubleOf(Sign(rsa.get(), Header("PS256", "k"), kPayload)), Trouble::kWrong);
}

TEST_F(TokenCheckerTest, KeysRotateWithoutAGap) {
  const Json old_key = MakeKey("ES256", "old");
  const Json new_key = MakeKey("ES256", "new");
  const std::string by_old = Sign(old_key.get(), Header("ES256", "old"), kPayload);
  const std::string by_new = Sign(new_key.get(), Header("ES256", "new"), kPayload);
  Publish(SetOf({old_key.get()}));
  EXPECT_EQ(TroubleOf(by_old), Trouble::kNone);
  EXPECT_EQ(TroubleOf(by_new), Trouble::kUnknown);
  Publish(SetOf({old_key.get(), new_key.get()}));
  EXPECT_EQ(TroubleOf(by_old), Trouble::kNone);
  EXPECT_EQ(TroubleOf(by_new), Trouble::kNone);
  Publish(SetOf({new_key.get()}));
  EXPECT_EQ(TroubleOf(by_old), Trouble::kUnknown) << "though it was remembered";
  EXPECT_EQ(TroubleOf(by_new), Trouble::kNone);
}

TEST_F(TokenCheckerTest, KeysThatCantBeReadLeaveThoseThatWereThere) {
  const Json key = MakeKey("ES256", "k");
  Publish(SetOf({key.get()}));
  const std::string token = Sign(key.get(), Header("ES256", "k"), kPayload);
  for (const char* text : {"", "{}", "{\"keys\":[]}", "{\"keys\":1}"}) {
    ASSERT_TRUE(WriteFileDurably(path_, text).ok());
    EXPECT_FALSE(checker_->Refresh().ok()) << text;
    EXPECT_EQ(TroubleOf(token), Trouble::kNone);
  }
  std::remove(path_.c_str());
  EXPECT_FALSE(checker_->Refresh().ok());
  EXPECT_EQ(TroubleOf(token), Trouble::kNone);
}

TEST_F(TokenCheckerTest, WeakAndSharedKeysAreLeftOut) {
  const Json shared = MakeKey("HS256", "k");
  ASSERT_TRUE(WriteFileDurably(path_, SetOf({shared.get()})).ok());
  checker_ = *TokenChecker::Make({.jwks = path_, .issuer = "i", .audience = "phasor"}, &clock_);
  EXPECT_EQ(checker_->Refresh().code(), StatusCode::kDataLoss);
  EXPECT_EQ(TroubleOf("a.b.c"), Trouble::kUnavailable) << "no key was ever read";
}

}  // namespace
}  // namespace phasor::access
