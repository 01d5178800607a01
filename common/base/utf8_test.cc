#include "common/base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace phasor {
namespace {

TEST(Utf8Test, KnowsWellFormedUtf8) {
  for (const char* good :
       {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"}) {
    EXPECT_TRUE(IsUtf8Text(good)) << good;
  }
  // Lone continuation, overlong forms, a surrogate, above U+10FFFF, cut off.
  for (const char* bad : {"\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF0\x9F\x98", "\xC3", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8Text(bad));
  }
}

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abcd", 3), "abc...");
  EXPECT_EQ(CutUtf8("ab\u00e9d", 3), "ab...");
  EXPECT_EQ(CutUtf8("\u00e9", 1), "...");
}

}  // namespace
}  // namespace phasor
