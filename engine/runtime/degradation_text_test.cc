#include "engine/runtime/degradation_text.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(DegradationTextTest, ReadsWhatWasWritten) {
  const std::vector<Degradation> degradations = {
      {UnitKind::kStep, 3, "CPU_OFFLOAD", "denoising step 4 of 9: \"out\" of memory\n\xFF", 17, 5},
      {UnitKind::kDecode, 0, "VAE_TILE_256", "", 1, 0}};
  const auto read = ParseDegradations(DegradationText(degradations));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->front().kind, UnitKind::kStep);
  EXPECT_EQ(read->front().index, 3);
  EXPECT_EQ(read->front().action, "CPU_OFFLOAD");
  EXPECT_EQ(read->front().reason.substr(0, 17), "denoising step 4 ");
  EXPECT_EQ(read->front().bytes_asked, 17u);
  EXPECT_EQ(read->front().bytes_free, 5u);
  EXPECT_EQ(read->back().kind, UnitKind::kDecode);
}

TEST(DegradationTextTest, NothingIsNoText) {
  EXPECT_EQ(DegradationText({}), "");
  EXPECT_TRUE(ParseDegradations("")->empty());
}

TEST(DegradationTextTest, KeepsTheNewestAndFitsACheckpoint) {
  std::vector<Degradation> many(100);
  for (int i = 0; i < 100; ++i) {
    many[i] = {UnitKind::kStep, i, std::string(1000, 'A'), std::string(1000, '\xFF'), 0, 0};
  }
  const std::string text = DegradationText(many);
  EXPECT_LE(text.size(), kMaxDegradationText);
  const auto read = ParseDegradations(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->back().index, 99);
  EXPECT_LE(read->front().reason.size(), 3 * 200u) << "a mark in place of each byte";
}

TEST(DegradationTextTest, RefusesWhatItDidNotWrite) {
  for (const char* text : {"{", "{}", "[1]", R"([{"phase":1}])", R"([{"phase":"decode"}])"}) {
    EXPECT_EQ(ParseDegradations(text).status().code(), StatusCode::kDataLoss) << text;
  }
  EXPECT_EQ(ParseDegradations(std::string(kMaxDegradationText + 1, ' ')).status().code(),
            StatusCode::kDataLoss);
}

}  // namespace
}  // namespace phasor::engine
