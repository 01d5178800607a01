#include "services/gateway/flow/page_seal.h"

#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

TEST(PageSealTest, ATenantGetsItsOwnBackAndSeesNoNumber) {
  for (const char* page : {"1", "42", "123456789012345678"}) {
    const std::string sealed = SealPage("secret", "a", page);
    EXPECT_EQ(*OpenPage("secret", "a", sealed), page);
    EXPECT_EQ(sealed, SealPage("secret", "a", page));
    EXPECT_EQ(sealed.size(), SealPage("secret", "a", "7").size());
    EXPECT_NE(sealed, SealPage("secret", "b", page));
  }
  EXPECT_EQ(SealPage("secret", "a", ""), "");
  EXPECT_EQ(*OpenPage("secret", "a", ""), "");
}

TEST(PageSealTest, WhatIsMadeUpOrComesFromAnotherIsNoToken) {
  const std::string sealed = SealPage("secret", "a", "42");
  EXPECT_FALSE(OpenPage("secret", "b", sealed).ok());
  EXPECT_FALSE(OpenPage("other", "a", sealed).ok());
  EXPECT_EQ(OpenPage("secret", "a", "42").status().code(), StatusCode::kInvalidArgument);
  EXPECT_FALSE(OpenPage("secret", "a", sealed + "00").ok());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string bent = sealed;
    bent[i] = bent[i] == '0' ? '1' : '0';
    EXPECT_FALSE(OpenPage("secret", "a", bent).ok()) << i;
  }
}

}  // namespace
}  // namespace phasor::gateway
