#include "common/base/hash.h"

#include <gtest/gtest.h>

namespace phasor {
namespace {

// FIPS 180-2, appendix B.
TEST(Sha256Test, MatchesThePublishedVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesGiveTheHashOfTheWhole) {
  Sha256 hasher;
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_EQ(Hex(hasher.Finish()), Sha256Hex("abc"));
}

// RFC 4231, test case 2.
TEST(HmacTest, MatchesTheRfcVector) {
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 4648, section 10, in lower case and without padding.
TEST(Base32Test, MatchesTheRfcVectors) {
  const std::string text = "foobar";
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  EXPECT_EQ(Base32(bytes, 6), "mzxw6ytboi");
  EXPECT_EQ(Base32(bytes, 4), "mzxw6yq");
  EXPECT_EQ(Base32(bytes, 0), "");
}

TEST(RandomTokenTest, DiffersEachTime) {
  EXPECT_EQ(RandomToken().size(), 26u);
  EXPECT_NE(RandomToken(), RandomToken());
}

}  // namespace
}  // namespace phasor
