#include "common/tls/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/tls/testing_folder.h"

namespace phasor::tls {
namespace {

using testing::HasSubstr;

class SourceTest : public testing::Test {
 protected:
  SourceTest() : clock_(folder_.now()) {}

  static std::string Staged(const Source& source) {
    return ReadFile(source.identity_path(), 100'000).value();
  }

  const TestingFolder folder_;
  FakeClock clock_;
};

TEST_F(SourceTest, WhatIsReplacedOnDiskGoesIntoUse) {
  const Files files = folder_.Issue("own");
  const auto source = *Source::Open(files, &clock_);
  const std::string before = Staged(*source);
  ASSERT_TRUE(source->Look().ok());
  EXPECT_EQ(source->replaced(), 0);
  EXPECT_EQ(Staged(*source), before);
  folder_.Issue("own");
  ASSERT_TRUE(source->Look().ok());
  EXPECT_EQ(source->replaced(), 1);
  EXPECT_EQ(source->current()->chain, *ReadFile(files.certificate, 100'000));
  EXPECT_EQ(Staged(*source), source->current()->key + "\n" + source->current()->chain);
  EXPECT_EQ(*ReadFile(source->authorities_path(), 100'000), folder_.authority().certificate);
}

TEST_F(SourceTest, ABrokenFileLeavesTheOldCertificateInUse) {
  const Files files = folder_.Issue("own");
  const auto source = *Source::Open(files, &clock_);
  const std::string before = Staged(*source);
  folder_.Write("own.key", folder_.authority().key);
  for (int i = 0; i < 3; ++i) {
    const Status status = source->Look();
    EXPECT_THAT(Message(status), HasSubstr("stay: the key in " + files.key + " does not fit"));
  }
  EXPECT_EQ(source->refused(), 1) << "once for what was found, however often it is looked at";
  EXPECT_EQ(Staged(*source), before);
  folder_.Issue("own");
  EXPECT_TRUE(source->Look().ok());
  EXPECT_NE(Staged(*source), before);
}

TEST_F(SourceTest, SaysSoWhenTheCertificateInUseExpires) {
  const auto source = *Source::Open(folder_.Issue("own"), &clock_);
  clock_.Advance(Millis(2 * kHourMs));
  EXPECT_THAT(Message(source->Look()), HasSubstr("own.pem expired on"));
}

// gRPC reads key and certificate through two looks at the path and tells a change between them by
// the time of modification.
TEST_F(SourceTest, AReaderThatIsUnderWayKeepsWhatItOpened) {
  const auto source = *Source::Open(folder_.Issue("own"), &clock_);
  const std::string before = Staged(*source);
  FILE* const reader = fopen(source->identity_path().c_str(), "r");
  const auto time = std::filesystem::last_write_time(source->identity_path());
  folder_.Issue("own");
  ASSERT_TRUE(source->Look().ok());
  std::string read(before.size(), '\0');
  EXPECT_EQ(fread(read.data(), 1, read.size(), reader), before.size());
  fclose(reader);
  EXPECT_EQ(read, before);
  EXPECT_GE(std::filesystem::last_write_time(source->identity_path()) - time,
            std::chrono::seconds(1));
}

}  // namespace
}  // namespace phasor::tls
