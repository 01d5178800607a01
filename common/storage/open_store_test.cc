#include "common/storage/open_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace phasor::storage {
namespace {

using testing::HasSubstr;

TEST(OpenStoreTest, OpensFoldersByPathAndByUrl) {
  const std::string folder = testing::TempDir() + "phasor-open-store-test";
  for (const std::string& url : {folder, "file://" + folder}) {
    const auto store = OpenStore(url);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_TRUE((*store)->Put("k", url).ok());
    EXPECT_EQ((*store)->Get("k").value(), url);
  }
  std::filesystem::remove_all(folder);
}

TEST(OpenStoreTest, AStoreThatIsAwayIsUnavailable) {
  EXPECT_EQ(OpenStore("unix:///nowhere/redis.sock").status().code(), StatusCode::kUnavailable);
}

TEST(OpenStoreTest, AProcessMayWaitForAStoreOnTheNetworkAndForNoOther) {
  const auto away = AwaitStore("unix:///nowhere/redis.sock");
  ASSERT_TRUE(away.ok()) << away.status();
  const Status status = (*away)->Get("k").status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(Message(status), HasSubstr("unix:///nowhere/redis.sock"));
  EXPECT_FALSE(AwaitStore("/proc/nowhere").ok());
  EXPECT_EQ(AwaitStore("ftp://x").status().code(), StatusCode::kInvalidArgument);
}

TEST(OpenStoreTest, S3WantsCredentialsInTheEnvironment) {
  ::unsetenv("AWS_ACCESS_KEY_ID");
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
  const std::string url = "s3://bucket?endpoint=http://127.0.0.1:1";
  Status status = OpenStore(url).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("AWS_SECRET_ACCESS_KEY"));
  ::setenv("AWS_ACCESS_KEY_ID", "id", 1);
  EXPECT_EQ(OpenStore(url).status().code(), StatusCode::kInvalidArgument);
  ::setenv("AWS_SECRET_ACCESS_KEY", "s3cret", 1);
  ::setenv("no_proxy", "127.0.0.1", 1);
  status = OpenStore(url).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable) << "nothing listens there";
  EXPECT_THAT(Message(status), HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(Message(status), testing::Not(HasSubstr("s3cret")));
}

TEST(OpenStoreTest, ACredentialThatWouldBreakAHeaderIsNamed) {
  ::setenv("AWS_ACCESS_KEY_ID", "id", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "s3cret\nHost: elsewhere", 1);
  const Status status = OpenStore("s3://bucket?endpoint=http://127.0.0.1:1").status();
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("AWS_SECRET_ACCESS_KEY has a control character"));
}

TEST(OpenStoreTest, TheRegionComesFromTheEnvironmentUnlessTheUrlNamesOne) {
  ::setenv("AWS_REGION", "No Region", 1);
  EXPECT_THAT(Message(OpenStore("s3://bucket").status()), HasSubstr("region"));
  ::unsetenv("AWS_REGION");
  ::setenv("AWS_DEFAULT_REGION", "No Region", 1);
  EXPECT_THAT(Message(OpenStore("s3://bucket").status()), HasSubstr("region"));
  ::unsetenv("AWS_DEFAULT_REGION");
}

TEST(OpenStoreTest, AWrongUrlSaysWhatIsWrong) {
  EXPECT_THAT(Message(OpenStore("ftp://x").status()), HasSubstr("scheme"));
}

}  // namespace
}  // namespace phasor::storage
