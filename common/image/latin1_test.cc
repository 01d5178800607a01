#include "common/image/latin1.h"

#include <gtest/gtest.h>

namespace phasor::image {
namespace {

TEST(Latin1Test, ConvertsWhatLatin1HasAndRefusesTheRest) {
  struct Case {
    std::string utf8;
    std::optional<std::string> latin1;
  };
  const Case cases[] = {
      {"", ""},
      {"a\nb", "a\nb"},
      {"caf\xC3\xA9", "caf\xE9"},
      {"\xC2\x80\xC3\xBF", "\x80\xFF"},
      {"\xE2\x82\xAC", std::nullopt},      // euro sign
      {"\xF0\x9F\x8E\xA8", std::nullopt},  // emoji
      {"\xC4\x80", std::nullopt},          // U+0100
      {"\xC3", std::nullopt},              // cut short
      {"\xC3(", std::nullopt},             // no continuation
      {"\xE9", std::nullopt},              // not UTF-8
  };
  for (const Case& test : cases) EXPECT_EQ(Latin1FromUtf8(test.utf8), test.latin1) << test.utf8;
}

TEST(Latin1Test, ComesBackForEveryByte) {
  std::string all;
  for (int i = 1; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(Latin1FromUtf8(Utf8FromLatin1(all)), all);
}

}  // namespace
}  // namespace phasor::image
