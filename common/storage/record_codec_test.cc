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
      {"\"version\":2", "\"version\":0"},
      {"\"version\":2", "\"version\":-1"},
      {"\"version\":2", "\"version\":2.5"},
      {"\"readable_by\":1", "\"readable_by\":3"},
      {"\"readable_by\":1", "\"readable_by\":0"},
      {"\"readable_by\":1", "\"readable_by\":\"1\""},
      {"\"tenant\":\"", "\"tenants\":\""},
      {"\"model\":\"", "\"model\":[\"x\"],\"later\":\""},
      {"\"accepted_ms\":1", "\"accepted_ms\":\"\",\"later\":1"},
      {"\"started_ms\":1", "\"started_ms\":1e300,\"later\":1"},
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

TEST(RecordCodecTest, KeepsFieldsOfLaterVersionsThatItMayRead) {
  const std::string bytes = EncodeRecord(TestRecord(1)).value();
  EXPECT_EQ(DecodeRecord(bytes)->later_fields, "");
  const std::string later = Replace(bytes, "\"version\":2", "\"version\":9,\"later\":[1,2]");
  const TerminalRecord record = DecodeRecord(later).value();
  EXPECT_EQ(record.nonce, "nonce");
  EXPECT_EQ(record.later_fields, "{\"later\":[1,2]}");
  EXPECT_EQ(DecodeRecord(Replace(later, "\"readable_by\":1", "\"readable_by\":9")).status().code(),
            StatusCode::kDataLoss)
      << "one whose meaning has changed is not guessed at";
}

TEST(RecordCodecTest, ReadsTheFirstVersion) {
  std::string bytes =
      Replace(EncodeRecord(TestRecord(1)).value(), "\"version\":2", "\"version\":1");
  for (const std::string name : {"tenant", "model", "accepted_ms", "started_ms", "readable_by"}) {
    bytes = Replace(bytes, "\"" + name + "\"", "\"x" + name + "\"");
  }
  const TerminalRecord record = DecodeRecord(bytes).value();
  EXPECT_EQ(record.finished_ms, TestRecord(1).finished_ms);
  EXPECT_EQ(record.tenant, "");
  EXPECT_EQ(record.model, "");
  EXPECT_EQ(record.accepted_ms, 0);
  EXPECT_EQ(record.started_ms, 0);
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
