#include "engine/api/compute_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace phasor::engine {
namespace {

using ::testing::StartsWith;

TEST(ComputeOptionsTest, EachSwitchTakesItsWordsAndNoOther) {
  EXPECT_TRUE(CheckCompute({}).ok());
  std::set<std::string> flags;
  for (const ComputeSwitch& one : ComputeSwitches()) {
    EXPECT_TRUE(flags.insert(one.flag()).second) << "declared twice";
    EXPECT_EQ(one.words.front(), "auto");
    for (const std::string& word : one.words) {
      ComputeOptions options;
      options.*one.word = word;
      EXPECT_TRUE(CheckCompute(options).ok()) << one.key << " " << word;
      EXPECT_EQ(WordOf(options, one.word), word);
    }
    ComputeOptions wrong;
    wrong.*one.word = "perhaps";
    EXPECT_THAT(Message(CheckCompute(wrong)), StartsWith(one.key + ": must be "));
    EXPECT_THAT(one.hint(), StartsWith("auto"));
  }
  EXPECT_TRUE(flags.contains("--channels-last"));
  EXPECT_EQ(WordOf({}, &ComputeOptions::tf32), "auto");
  EXPECT_EQ(LibraryBytes({}), std::nullopt);
  ComputeOptions options;
  options.library_memory = "auto";
  EXPECT_EQ(LibraryBytes(options), std::nullopt);
  options.library_memory = "64MiB";
  EXPECT_TRUE(CheckCompute(options).ok());
  EXPECT_EQ(LibraryBytes(options), uint64_t{64} << 20);
  options.library_memory = "0";
  EXPECT_EQ(LibraryBytes(options), uint64_t{0}) << "nothing is left to them";
}

}  // namespace
}  // namespace phasor::engine
