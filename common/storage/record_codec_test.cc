#include "common/storage/record_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "common/storage/result_store_contract.h"

namespace phasor::storage {
namespace {

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(RecordCodecTest, RejectsEveryTruncation) {
  const std::string bytes = EncodeRecord(TestRecord(1)).value();
  ASSERT_TRUE(DecodeRecord(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeRecord(bytes.substr(0, size)).status().code(), StatusCode::kDataLoss);
  }
}

TEST(RecordCodecTest, RejectsFieldsOfAnotherTypeOrRange) {
  const std::string good = EncodeRecord(TestRecord(1)).value();
  const std::vector<std::pair<std::string, std::string>> spoilings = {
      {"\"version\":1", "\"version\":2"},
      {"\"version\":1", "\"version\":1.5"},
      {"\"epoch\":3", "\"epoch\":\"3\""},
      {"\"epoch\":3", "\"epoch\":18446744073709551615"},
      {"\"width\":128", "\"width\":-3000000000"},
      {"\"bytes\":12345", "\"bytes\":-1"},
      {"\"DONE\"", "\"LEASED\""},
      {"\"DONE\"", "\"FLYING\""},
      {"\"images\":[", "\"images\":[7,"},
      {"\"blob\":\"jobs/", "\"blob\":\"../"},
      {"\"details\":\"", "\"details\":\"zz"},
      {"\"details\":\"", "\"details\":\"0"},
      {"\"id\":\"", "\"id\":\"/"},
      {"\"nonce\"", "\"nonsense\""},
  };
  for (const auto& [from, to] : spoilings) {
    EXPECT_EQ(DecodeRecord(Replace(good, from, to)).status().code(), StatusCode::kDataLoss) << to;
  }
}

TEST(RecordCodecTest, IgnoresFieldsOfLaterVersionsOfItself) {
  const std::string bytes = EncodeRecord(TestRecord(1)).value();
  EXPECT_TRUE(DecodeRecord(Replace(bytes, "{", "{\"later\":[1,2],")).ok());
}

TEST(RecordCodecTest, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_FALSE(DecodeRecord(std::string(500'000, '[')).ok());
  EXPECT_FALSE(DecodeRecord(std::string((1 << 20) + 1, ' ')).ok());
}

TEST(RecordCodecTest, AnyFlippedBytesGiveARecordOrAnErrorButNoCrash) {
  const std::string good = EncodeRecord(TestRecord(1)).value();
  std::mt19937 random(7);
  int rejected = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    rejected += !DecodeRecord(bytes).ok();
  }
  EXPECT_GT(rejected, 1000);
}

}  // namespace
}  // namespace phasor::storage
