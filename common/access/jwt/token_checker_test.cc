#include "common/access/jwt/token_checker.h"

#include <cstdio>
#include <memory>
#include <vector>

extern "C" {
#include <jose/b64.h>
#include <jose/jwk.h>
#include <jose/jws.h>
}

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/http/page_server.h"

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

std::string Encoded(const std::string& text) {
  const Json json(jose_b64_enc(text.data(), text.size()));
  return json_string_value(json.get());
}

// An issuer's key for EdDSA, which the library of the others does not make.
class EdwardsKey {
 public:
  explicit EdwardsKey(const char* curve) : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, curve)) {}
  ~EdwardsKey() { EVP_PKEY_free(key_); }
  EdwardsKey(const EdwardsKey&) = delete;
  EdwardsKey& operator=(const EdwardsKey&) = delete;

  Json Public(const std::string& curve) const {
    std::string bytes(64, '\0');
    size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_, reinterpret_cast<uint8_t*>(bytes.data()), &size);
    bytes.resize(size);
    return Json(json_pack("{s:s,s:s,s:s,s:s}", "kty", "OKP", "crv", curve.c_str(), "kid", "k", "x",
                          Encoded(bytes).c_str()));
  }

  std::string Sign(const std::string& header, const std::string& payload) const {
    std::string token = Encoded(header) + "." + Encoded(payload);
    std::string signature(128, '\0');
    size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(),
                                                                     EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_);
    EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size,
                             reinterpret_cast<const uint8_t*>(token.data()), token.size()),
              1);
    signature.resize(size);
    return token + "." + Encoded(signature);
  }

 private:
  EVP_PKEY* const key_;
};

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

  FakeClock clock_;
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
        Encoded(Header("es256", "k")) + "." + payload + "." + signature,
        Encoded("[]") + "." + payload + "." + signature,
        Encoded(R"({"alg":"ES256","kid":"k","crit":["x"],"x":1})") + "." + payload + "." +
            signature}) {
    EXPECT_EQ(TroubleOf(token), Trouble::kMalformed) << token;
  }
}

TEST_F(TokenCheckerTest, EdDsaIsVerifiedWithEd25519) {
  const EdwardsKey key("ED25519");
  const Json open = key.Public("Ed25519");
  Publish(SetOf({open.get()}));
  const std::string token = key.Sign(Header("EdDSA", "k"), kPayload);
  EXPECT_EQ(TroubleOf(token), Trouble::kNone);
  EXPECT_EQ(checker_->Check(token, kNow + 361'000).trouble, Trouble::kOver);
  const EdwardsKey thief("ED25519");
  EXPECT_EQ(TroubleOf(thief.Sign(Header("EdDSA", "k"), kPayload)), Trouble::kWrong);
  EXPECT_EQ(TroubleOf(token.substr(0, token.rfind('.') + 1) + "AAAA"), Trouble::kWrong);
  EXPECT_EQ(TroubleOf(token.substr(0, token.rfind('.') + 1) + "!"), Trouble::kWrong);
  EXPECT_EQ(TroubleOf(key.Sign(Header("ES256", "k"), kPayload)), Trouble::kWrong);
}

TEST_F(TokenCheckerTest, OtherCurvesOfEdDsaDoNotCount) {
  const Json other = MakeKey("ES256", "other");
  for (const auto& [curve, called] : {std::pair("ED448", "Ed448"), std::pair("X25519", "X25519")}) {
    const Json open = EdwardsKey(curve).Public(called);
    Publish(SetOf({open.get(), other.get()}));
    const std::string token = Encoded(Header("EdDSA", "k")) + "." + Encoded(kPayload) + ".AAAA";
    EXPECT_EQ(TroubleOf(token), Trouble::kUnknown) << called << ": its key was left out";
  }
  const EdwardsKey large("ED448");
  const Json lies = large.Public("Ed25519");
  Publish(SetOf({lies.get(), other.get()}));
  EXPECT_EQ(TroubleOf(large.Sign(Header("EdDSA", "k"), kPayload)), Trouble::kWrong);
}

TEST_F(TokenCheckerTest, AnEllipticKeyDoesNotSignForEdDsa) {
  const Json key = MakeKey("ES256", "k");
  Publish(SetOf({key.get()}));
  const std::string good = Sign(key.get(), Header("ES256", "k"), kPayload);
  const std::string signature = good.substr(good.rfind('.') + 1);
  EXPECT_EQ(TroubleOf(Encoded(Header("EdDSA", "k")) + "." + Encoded(kPayload) + "." + signature),
            Trouble::kWrong);
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

class IssuerTest : public TokenCheckerTest {
 protected:
  IssuerTest() {
    checker_ =
        *TokenChecker::Make({.jwks = issuer_.url(), .issuer = "i", .audience = "phasor"}, &clock_);
  }
  Json MakeKeyNamed(const std::string& id) { return MakeKey("ES256", id); }
  static std::string TokenOf(const Json& key, const std::string& id) {
    return Sign(key.get(), Header("ES256", id), kPayload);
  }
  void Answer(const std::string& page) { issuer_.Serve("200 OK", page); }

  http::PageServer issuer_;
  const Json old_key_ = MakeKeyNamed("old");
  const std::string by_old_ = TokenOf(old_key_, "old");
};

TEST_F(IssuerTest, KeysAreFetchedOnceAndStayForFiveMinutes) {
  Answer(SetOf({old_key_.get()}));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(checker_->Refresh().ok());
    EXPECT_EQ(TroubleOf(by_old_), Trouble::kNone);
    clock_.Advance(Millis(99'000));
  }
  EXPECT_EQ(issuer_.asked(), 1);
  clock_.Advance(Millis(3'000));
  EXPECT_TRUE(checker_->Refresh().ok());
  EXPECT_EQ(issuer_.asked(), 2);
}

TEST_F(IssuerTest, ATokenOfANewKeyMakesItBeFetchedButNoOftenerThanEveryTenSeconds) {
  Answer(SetOf({old_key_.get()}));
  ASSERT_TRUE(checker_->Refresh().ok());
  const Json new_key = MakeKeyNamed("new");
  const std::string by_new = TokenOf(new_key, "new");
  Answer(SetOf({old_key_.get(), new_key.get()}));
  EXPECT_EQ(TroubleOf(by_new), Trouble::kUnknown);
  clock_.Advance(Millis(9'000));
  ASSERT_TRUE(checker_->Refresh().ok());
  EXPECT_EQ(issuer_.asked(), 1) << "too early";
  clock_.Advance(Millis(1'000));
  ASSERT_TRUE(checker_->Refresh().ok());
  EXPECT_EQ(issuer_.asked(), 2) << "though no other token came";
  EXPECT_EQ(TroubleOf(by_new), Trouble::kNone);
  EXPECT_EQ(TroubleOf(by_old_), Trouble::kNone);
  // A flood of tokens with keys of nobody's.
  for (int i = 0; i < 100; ++i) {
    const std::string id = "none-" + std::to_string(i);
    EXPECT_EQ(TroubleOf(TokenOf(old_key_, id)), Trouble::kUnknown);
    ASSERT_TRUE(checker_->Refresh().ok());
    clock_.Advance(Millis(100));
  }
  EXPECT_EQ(issuer_.asked(), 2);
}

TEST_F(IssuerTest, AnIssuerThatIsAwayAtFirstIsAskedAgainSoon) {
  issuer_.Serve("", "");
  const Status away = checker_->Refresh();
  EXPECT_EQ(away.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(away), testing::HasSubstr(issuer_.url()));
  EXPECT_EQ(TroubleOf(by_old_), Trouble::kUnavailable);
  Answer(SetOf({old_key_.get()}));
  EXPECT_EQ(checker_->Refresh(), away) << "not asked yet, and still away for all that is known";
  clock_.Advance(Millis(10'000));
  EXPECT_TRUE(checker_->Refresh().ok());
  EXPECT_EQ(TroubleOf(by_old_), Trouble::kNone);
}

TEST_F(IssuerTest, WhatIsNoSetOfKeysChangesNothingAndIsNamed) {
  Answer(SetOf({old_key_.get()}));
  ASSERT_TRUE(checker_->Refresh().ok());
  clock_.Advance(Millis(300'000));
  const struct {
    std::string status;
    std::string page;
    std::string sentence;
  } answers[] = {{"", "", "can't fetch the keys of tokens from"},
                 {"500 Oh", "{}", "can't fetch the keys of tokens from"},
                 {"302 Found", "", "are no JWK set"},
                 {"200 OK", "<html>Sign in</html>", "are no JWK set"},
                 {"200 OK", SetOf({old_key_.get()}) + "x", "are no JWK set"},
                 {"200 OK", R"({"keys":[{"kty":"oct","k":"AA"}]})", "hold none that would do"},
                 {"200 OK", std::string(256 * 1024 + 1, ' '), "have more than 262144 bytes"},
                 {"200 OK", std::string(64 << 20, ' '), "have more than 262144 bytes"}};
  for (const auto& answer : answers) {
    issuer_.Serve(answer.status, answer.page);
    const Status refreshed = checker_->Refresh();
    EXPECT_THAT(Message(refreshed), testing::HasSubstr(answer.sentence));
    EXPECT_THAT(Message(refreshed), testing::HasSubstr(issuer_.url()));
    EXPECT_EQ(TroubleOf(by_old_), Trouble::kNone) << answer.sentence;
    clock_.Advance(Millis(10'000));
  }
  Answer(SetOf({old_key_.get()}));
  EXPECT_TRUE(checker_->Refresh().ok()) << "the same as before";
  EXPECT_EQ(TroubleOf(by_old_), Trouble::kNone);
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
