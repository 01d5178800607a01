#include "common/base/percent.h"

#include <gtest/gtest.h>

namespace phasor {
namespace {

TEST(PercentTest, WhatWasEncodedIsReadBack) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(*PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(PercentEncode("/run/what?is#50%, ü"), "/run/what%3Fis%2350%25%2C%20%C3%BC");
  EXPECT_EQ(PercentEncode("/plain/path-1._~"), "/plain/path-1._~");
}

TEST(PercentTest, HalfCodesAreRefused) {
  for (const char* text : {"%", "a%2", "%zz", "%2", "%-1", "%+1", "%0x"}) {
    EXPECT_EQ(PercentDecode(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
  EXPECT_EQ(*PercentDecode("%3f%3F"), "??");
}

}  // namespace
}  // namespace phasor
