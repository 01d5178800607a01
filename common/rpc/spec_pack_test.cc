#include "common/rpc/spec_pack.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace phasor::rpc {
namespace {

std::string Noise(size_t bytes) {
  std::mt19937 random(7);
  std::string noise;
  for (size_t i = 0; i < bytes; ++i) noise += static_cast<char>(random());
  return noise;
}

TEST(SpecPackTest, WhatIsPackedComesBackAndShowsNoStretchOfItself) {
  const std::string texts[] = {
      "",
      "a red circle on a blue background",
      "\xe9\x9d\x92\xe3\x81\x84\xe8\x83\x8c\xe6\x99\xaf\xe3\x81\xae\xe8\xb5\xa4\xe3\x81\x84\xe5\x86"
      "\x86",
      "Zq7#kW!x9@Lm2$Pv",
      std::string(100'000, 'x'),
      Noise(255),
      Noise(256),
      std::string(511, 'x'),
      std::string(512, 'x'),
      Noise(5'000),
  };
  for (const std::string& text : texts) {
    const std::string packed = PackSpec(text);
    const auto plain = UnpackSpec(packed);
    ASSERT_TRUE(plain.ok()) << plain.status();
    EXPECT_EQ(*plain, text);
    for (size_t i = 0; i + 4 <= text.size(); i += 4) {
      ASSERT_EQ(packed.find(text.substr(i, 4)), std::string::npos) << text.substr(i, 4);
    }
  }
  EXPECT_LT(PackSpec(std::string(100'000, 'x')).size(), 1'000u);
  EXPECT_EQ(PackSpec(Noise(130)).size(), 136u);
}

TEST(SpecPackTest, ForeignAndDamagedBytesAreErrorsAndNeverACrash) {
  const std::string good = PackSpec("a red circle on a blue background");
  EXPECT_FALSE(UnpackSpec("").ok());
  EXPECT_FALSE(UnpackSpec("a red circle").ok());
  EXPECT_FALSE(UnpackSpec(good + "x").ok());
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(UnpackSpec(good.substr(0, i)).ok()) << i;
    std::string damaged = good;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    (void)UnpackSpec(damaged);
  }
}

TEST(SpecPackTest, LittleThatWouldBecomeMuchIsRefused) {
  EXPECT_TRUE(UnpackSpec(PackSpec(std::string(kMaxSpecBytes - 1, 'x'))).ok());
  EXPECT_EQ(UnpackSpec(PackSpec(std::string(kMaxSpecBytes + 1, 'x'))).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::rpc
