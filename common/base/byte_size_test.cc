#include "common/base/byte_size.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace phasor {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kAny = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMiB = uint64_t{1} << 20;

TEST(ByteSizeTest, ReadsBinaryUnits) {
  EXPECT_EQ(*ParseByteSize("4GiB", 0, kAny), 4096 * kMiB);
  EXPECT_EQ(*ParseByteSize("512MiB", 0, kAny), 512 * kMiB);
  EXPECT_EQ(*ParseByteSize("1.5KiB", 0, kAny), 1536u);
  EXPECT_EQ(*ParseByteSize("1EiB", 0, kAny), uint64_t{1} << 60);
  EXPECT_EQ(*ParseByteSize("0", 0, kAny), 0u);
}

TEST(ByteSizeTest, RefusesWhatIsNoSize) {
  for (const char* text : {"", "4", "GiB", "4GB", "4gib", "4 GiB", "-1GiB", "nanGiB", "1e99GiB",
                           "four GiB", "4GiB ", "0x4GiB"}) {
    EXPECT_THAT(Message(ParseByteSize(text, 0, kAny).status()),
                HasSubstr("must be a size such as 4GiB or 512MiB, got '" + std::string(text) + "'"))
        << text;
  }
}

TEST(ByteSizeTest, NamesTheBoundsThatItKeeps) {
  for (const char* text : {"0", "1023KiB", "10EiB", "999999999EiB"}) {
    EXPECT_EQ(Message(ParseByteSize(text, kMiB, kMiB << 30).status()),
              std::string("must be between 1MiB and 1PiB, got ") + text);
  }
}

TEST(ByteSizeTest, WritesTheLargestUnitThatFits) {
  EXPECT_EQ(ByteSizeText(0), "0B");
  EXPECT_EQ(ByteSizeText(1023), "1023B");
  EXPECT_EQ(ByteSizeText(4096 * kMiB), "4GiB");
  EXPECT_EQ(ByteSizeText(kMiB + kMiB / 4), "1.25MiB");
  EXPECT_EQ(ByteSizeText(1'234'567'890), "1.15GiB");
}

}  // namespace
}  // namespace phasor
