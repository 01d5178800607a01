#include "common/access/jwt/ed25519.h"

#include <string>

extern "C" {
#include <jose/b64.h>
}

#include <gtest/gtest.h>

namespace phasor::access {
namespace {

// RFC 8037, A.2 and A.4: what others sign.
constexpr char kKey[] = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
constexpr char kText[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
constexpr char kSignature[] =
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

std::string Decoded(const std::string& text) {
  std::string bytes(64, '\0');
  bytes.resize(jose_b64_dec_buf(text.data(), text.size(), bytes.data(), bytes.size()));
  return bytes;
}

TEST(Ed25519Test, VerifiesWhatAnotherImplementationSigned) {
  EXPECT_TRUE(IsSignedByEd25519(Decoded(kKey), kText, Decoded(kSignature)));
}

TEST(Ed25519Test, AnyOtherBitIsNotSigned) {
  const std::string key = Decoded(kKey);
  const std::string signature = Decoded(kSignature);
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string other = signature;
    other[i] ^= 1;
    EXPECT_FALSE(IsSignedByEd25519(key, kText, other)) << i;
  }
  for (size_t i = 0; i < key.size(); ++i) {
    std::string other = key;
    other[i] ^= 1;
    EXPECT_FALSE(IsSignedByEd25519(other, kText, signature)) << i;
  }
  EXPECT_FALSE(IsSignedByEd25519(key, std::string(kText) + " ", signature));
}

TEST(Ed25519Test, OtherLengthsAreNoKeyAndNoSignature) {
  const std::string key = Decoded(kKey);
  const std::string signature = Decoded(kSignature);
  EXPECT_FALSE(IsSignedByEd25519("", kText, signature));
  EXPECT_FALSE(IsSignedByEd25519(key.substr(1), kText, signature));
  EXPECT_FALSE(IsSignedByEd25519(key + key, kText, signature));
  EXPECT_FALSE(IsSignedByEd25519(key, kText, ""));
  EXPECT_FALSE(IsSignedByEd25519(key, kText, signature.substr(1)));
  EXPECT_FALSE(IsSignedByEd25519(key, kText, signature + "x"));
}

}  // namespace
}  // namespace phasor::access
