#include "engine/weights/safetensors_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

std::string Length(uint64_t length) {
  std::string bytes(8, '\0');
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string File(const std::string& json, size_t data_bytes) {
  return Length(json.size()) + json + std::string(data_bytes, '\1');
}

std::string Tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST(SafetensorsHeaderTest, ReadsNamesTypesShapesAndMetadata) {
  const std::string file =
      File("{\"__metadata__\":{\"format\":\"pt\"}," + Tensor("b", "F16", "[2,3]", "[4,16]") + "," +
               Tensor("a", "F32", "[]", "[0,4]") + "}",
           16);
  const auto header = ParseSafetensorsHeader(file);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->data_start, file.size() - 16);
  EXPECT_EQ(header->metadata.at("format"), "pt");
  ASSERT_EQ(header->entries.size(), 2u);
  EXPECT_EQ(header->entries[0].name, "a");
  EXPECT_EQ(header->entries[0].shape, std::vector<uint64_t>{});
  EXPECT_EQ(header->entries[1].type, SafetensorsType::kF16);
  EXPECT_EQ(header->entries[1].shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(header->entries[1].begin, 4u);
  EXPECT_EQ(header->entries[1].end, 16u);
}

TEST(SafetensorsHeaderTest, AcceptsWhatTheFormatAllows) {
  const struct {
    const char* what;
    std::string file;
  } cases[] = {
      {"no tensors", File("{}", 0)},
      {"padding", File("{" + Tensor("a", "U8", "[1]", "[0,1]") + "}    \n\t", 1)},
      {"a header length that leaves the data unaligned",
       File("{" + Tensor("abc", "U8", "[1]", "[0,1]") + "}", 1)},
      {"an empty tensor between others",
       File("{" + Tensor("m", "U8", "[2]", "[0,2]") + "," + Tensor("z", "F32", "[0]", "[2,2]") +
                "," + Tensor("a", "U8", "[2]", "[2,4]") + "}",
            4)},
      {"a zero before large sizes",
       File("{" + Tensor("a", "F32", "[0,1099511627776,1099511627776]", "[0,0]") + "}", 0)},
      {"null metadata", File("{\"__metadata__\":null}", 0)},
      {"unknown fields of any depth",
       File("{\"a\":{\"x\":{\"dtype\":[1,-2,{\"y\":null}]},\"dtype\":\"U8\",\"shape\":[1],"
            "\"z\":2.5,\"data_offsets\":[0,1]}}",
            1)},
      {"packed four-bit values", File("{" + Tensor("a", "F4", "[4]", "[0,2]") + "}", 2)},
      {"an escaped name", File("{" + Tensor("a\\u00e9", "U8", "[1]", "[0,1]") + "}", 1)},
  };
  for (const auto& item : cases) {
    const auto header = ParseSafetensorsHeader(item.file);
    EXPECT_TRUE(header.ok()) << item.what << ": " << header.status();
  }
}

TEST(SafetensorsHeaderTest, RefusesBrokenFilesWithAReason) {
  const std::string good = Tensor("a", "U8", "[2]", "[0,2]");
  const auto one = [](const std::string& dtype, const std::string& shape,
                      const std::string& offsets) {
    return "{" + Tensor("a", dtype, shape, offsets) + "}";
  };
  const struct {
    std::string file;
    const char* reason;
  } cases[] = {
      {"", "shorter than 8"},
      {"1234567", "shorter than 8"},
      {Length(0), "does not begin with '{'"},
      {Length(100'000'001), "the limit is 100000000"},
      {Length(UINT64_MAX), "the limit is 100000000"},
      {Length(UINT64_MAX - 7), "the limit is 100000000"},
      {Length(100) + "{}", "truncated"},
      {Length(2) + "{", "truncated"},
      {File(" {}", 0), "does not begin with '{'"},
      {File("\xef\xbb\xbf{}", 0), "does not begin with '{'"},
      {File("[]", 0), "does not begin with '{'"},
      {File(std::string("{}\0", 3), 0), "NUL"},
      {File("{} x", 0), "not valid JSON"},
      {File("{}{}", 0), "not valid JSON"},
      {File("{", 0), "not valid JSON"},
      {File("{\"\xff\":{}}", 0), "not valid JSON"},
      {File("{\"\xc0\xaf\":{}}", 0), "not valid JSON"},
      {File("{\"a\":1}", 0), "'a' is not an object"},
      {File("{\"a\":null}", 0), "'a' is not an object"},
      {File("{\"a\":[]}", 0), "'a' is not an object"},
      {File("{\"a\":{}}", 0), "no dtype"},
      {File("{\"a\":{\"dtype\":\"U8\"}}", 0), "no shape"},
      {File("{\"a\":{\"dtype\":\"U8\",\"shape\":[]}}", 0), "no data_offsets"},
      {File(one("u8", "[2]", "[0,2]"), 2), "unknown dtype 'u8'"},
      {File(one("F31", "[2]", "[0,2]"), 2), "unknown dtype"},
      {File("{\"a\":{\"dtype\":8,\"shape\":[2],\"data_offsets\":[0,2]}}", 2), "wrong type"},
      {File("{\"a\":{\"dtype\":[\"U8\"],\"shape\":[2],\"data_offsets\":[0,2]}}", 2), "wrong type"},
      {File(one("U8", "2", "[0,2]"), 2), "wrong type in 'shape'"},
      {File(one("U8", "{}", "[0,2]"), 2), "wrong type in 'shape'"},
      {File(one("U8", "[2.0]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[-2]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[-0]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[\"2\"]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[[2]]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[18446744073709551616]", "[0,2]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[2]", "[0]"), 2), "fewer than two"},
      {File(one("U8", "[2]", "[0,2,2]"), 2), "more than two"},
      {File(one("U8", "[2]", "[0,2.5]"), 2), "unsigned 64-bit"},
      {File(one("U8", "[2]", "[2,0]"), 2), "ends before it begins"},
      {File(one("U8", "[2]", "[1,3]"), 3), "begins at 1"},
      {File("{" + good + "," + Tensor("b", "U8", "[2]", "[3,5]") + "}", 5), "data before it ends"},
      {File("{" + good + "," + Tensor("b", "U8", "[2]", "[1,3]") + "}", 3),
       "tensor before it ends"},
      {File("{" + good + "," + Tensor("b", "U8", "[2]", "[0,2]") + "}", 2), "'b' begins at 0"},
      {File("{" + good + "}", 3), "1 bytes follow the last tensor"},
      {File("{" + good + "}", 1), "truncated"},
      {File("{}", 1), "follow the last tensor"},
      {File(one("U8", "[3]", "[0,2]"), 2), "need 3"},
      {File(one("F32", "[1]", "[0,2]"), 2), "need 4"},
      {File(one("U8", "[1099511627776,1099511627776]", "[0,2]"), 2), "overflows"},
      {File(one("U8", "[1099511627776,1099511627776,0]", "[0,0]"), 0), "overflows"},
      {File(one("F32", "[1152921504606846976]", "[0,0]"), 0), "overflows"},
      {File(one("F4", "[3]", "[0,1]"), 1), "whole bytes"},
      {File(one("F6_E2M3", "[2]", "[0,1]"), 1), "whole bytes"},
      {File("{\"__metadata__\":{\"a\":1}}", 0), "other than strings"},
      {File("{\"__metadata__\":{\"a\":[]}}", 0), "other than strings"},
      {File("{\"__metadata__\":{\"a\":null}}", 0), "other than strings"},
      {File("{\"__metadata__\":[]}", 0), "not an object"},
      {File("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "twice"},
      {File("{" + good + "," + good + "}", 2), "'a' stands in the header twice"},
      {File("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 2),
       "'dtype' twice"},
  };
  for (const auto& item : cases) {
    const auto header = ParseSafetensorsHeader(item.file);
    ASSERT_FALSE(header.ok()) << item.reason;
    EXPECT_EQ(header.status().code(), StatusCode::kDataLoss);
    EXPECT_THAT(Message(header.status()), HasSubstr(item.reason));
  }
}

TEST(SafetensorsHeaderTest, BoundsTheRank) {
  std::string shape = "[1";
  for (int i = 0; i < 64; ++i) shape += ",1";
  const auto header =
      ParseSafetensorsHeader(File("{" + Tensor("a", "U8", shape + "]", "[0,1]") + "}", 1));
  EXPECT_THAT(Message(header.status()), HasSubstr("more than 64 dimensions"));
}

TEST(SafetensorsHeaderTest, EveryTruncationIsAnErrorAndNotACrash) {
  const std::string file =
      File("{\"__metadata__\":{\"k\":\"v\"}," + Tensor("a", "F32", "[2,1]", "[0,8]") + "}", 8);
  ASSERT_TRUE(ParseSafetensorsHeader(file).ok());
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(ParseSafetensorsHeader(std::string_view(file).substr(0, size)).ok()) << size;
  }
}

TEST(SafetensorsHeaderTest, EveryFlippedHeaderBitIsHandled) {
  const std::string file = File("{" + Tensor("a", "F32", "[2,1]", "[0,8]") + "}", 8);
  int refused = 0;
  for (size_t bit = 0; bit < (file.size() - 8) * 8; ++bit) {
    std::string altered = file;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    const auto header = ParseSafetensorsHeader(altered);
    if (!header.ok()) {
      ++refused;
      continue;
    }
    // A flip that is still a legal header (in a name, say) must not reach outside the file.
    for (const auto& entry : header->entries) {
      EXPECT_LE(header->data_start + entry.end, altered.size());
    }
  }
  EXPECT_GT(refused, 400);
}

TEST(SafetensorsHeaderTest, WrittenHeadersAreReadBackAndPadded) {
  std::vector<SafetensorsEntry> entries;
  for (int i = 0; i < 1000; ++i) {
    entries.push_back({.name = "layer." + std::to_string(i),
                       .type = i % 2 == 0 ? SafetensorsType::kF32 : SafetensorsType::kU8,
                       .shape = {static_cast<uint64_t>(i % 3), 2}});
  }
  const std::string header = EncodeSafetensorsHeader(entries, {{"format", "pt"}});
  EXPECT_EQ(header.size() % 8, 0u);
  uint64_t size = 0;
  for (const auto& entry : entries) {
    size += entry.shape[0] * 2 * (entry.type == SafetensorsType::kF32 ? 4 : 1);
  }
  const auto parsed = ParseSafetensorsHeader(header + std::string(size, '\0'));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->entries.size(), 1000u);
  EXPECT_EQ(parsed->metadata.at("format"), "pt");
}

TEST(SafetensorsHeaderTest, TypeNamesAndTypesMatchBothWays) {
  for (int i = 0; i <= static_cast<int>(SafetensorsType::kU64); ++i) {
    const auto type = static_cast<SafetensorsType>(i);
    EXPECT_EQ(FindSafetensorsType(SafetensorsTypeName(type)), type);
    EXPECT_GT(SafetensorsTypeBits(type), 0);
  }
}

}  // namespace
}  // namespace phasor::engine
