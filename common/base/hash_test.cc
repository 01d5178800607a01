#include "common/base/hash.h"

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

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

// RFC 4231, test cases 1, 2 and 6; the last one's key is longer than a block.
TEST(HmacTest, MatchesTheRfcVectors) {
  EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(Hex(HmacSha256("", "")),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
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
  std::set<std::string> seen;
  std::mutex mu;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int token = 0; token < 200; ++token) {
        const std::string drawn = RandomToken();
        const std::lock_guard lock(mu);
        EXPECT_EQ(drawn.size(), 26u);
        EXPECT_TRUE(seen.insert(drawn).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(EqualInConstantTimeTest, SaysWhatComparingSays) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abc", "ab"));
}

}  // namespace
}  // namespace phasor
