#include "common/base/secret_file.h"

#include <fstream>

#include <gtest/gtest.h>

namespace phasor {
namespace {

StatusOr<std::string> Written(const std::string& text) {
  const std::string path = testing::TempDir() + "phasor-secret-file-test";
  std::ofstream(path, std::ios::trunc) << text;
  return ReadSecretFile(path);
}

TEST(SecretFileTest, TheEndOfTheLineIsNoPartOfTheSecret) {
  EXPECT_EQ(*Written("s3cret"), "s3cret");
  EXPECT_EQ(*Written("s3cret\n"), "s3cret");
  EXPECT_EQ(*Written(" s3 cret \r\n"), " s3 cret ");
}

TEST(SecretFileTest, WhatMayBeWrittenInAMomentIsUnavailable) {
  EXPECT_EQ(Written("").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Written("\n").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Written("a\nb").status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(Written(std::string(70'000, 'x')).status().code(), StatusCode::kUnavailable);
  const Status status = ReadSecretFile("/nonexistent/secret").status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(Message(status).find("/nonexistent/secret"), std::string::npos);
}

}  // namespace
}  // namespace phasor
