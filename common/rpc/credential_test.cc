#include "common/rpc/credential.h"

#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::rpc {
namespace {

std::string FileWith(const std::string& text) {
  const std::string path = testing::TempDir() + "credential-" + RandomToken();
  EXPECT_TRUE(WriteFileDurably(path, text).ok());
  return path;
}

TEST(CredentialTest, IsWhatStandsInTheFileWithoutTheLineFeed) {
  const FakeClock clock;
  const auto credential = Credential::Open(FileWith("abc\n"), &clock);
  ASSERT_TRUE(credential.ok());
  EXPECT_EQ((*credential)->Header(), "Bearer abc");
}

TEST(CredentialTest, IsReadAnewASecondLaterAndStaysWhereTheFileIsGone) {
  FakeClock clock;
  const std::string path = FileWith("old");
  const auto credential = *Credential::Open(path, &clock);
  ASSERT_TRUE(WriteFileDurably(path, "new").ok());
  EXPECT_EQ(credential->Header(), "Bearer old");
  clock.Advance(Millis(1000));
  EXPECT_EQ(credential->Header(), "Bearer new");
  std::remove(path.c_str());
  clock.Advance(Millis(1000));
  EXPECT_EQ(credential->Header(), "Bearer new");
}

TEST(CredentialTest, WhatCanBeNoCredentialIsRefusedWithoutBeingShown) {
  const FakeClock clock;
  for (const char* text : {"", "\n", "two words", "line\nline", "\x01"}) {
    const auto credential = Credential::Open(FileWith(text), &clock);
    EXPECT_EQ(credential.status().code(), StatusCode::kFailedPrecondition) << text;
    EXPECT_EQ(Message(credential.status()).find("two words"), std::string::npos);
  }
  EXPECT_EQ(Credential::Open("/nonexistent/key", &clock).status().code(),
            StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace phasor::rpc
