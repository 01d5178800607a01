#include "services/gateway/secret.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "phasor_secret_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/sub/secret";
  }
  void TearDown() override {
    unlink(path_.c_str());
    rmdir((directory_ + "/sub").c_str());
    EXPECT_EQ(rmdir(directory_.c_str()), 0);  // nothing else is left behind
  }
  std::string directory_;
  std::string path_;
};

TEST_F(SecretTest, IsMadeOnceForTheOwnerAlone) {
  const auto secret = ReadOrMakeSecret(path_);
  ASSERT_TRUE(secret.ok()) << secret.status();
  EXPECT_GE(secret->size(), 32u);
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(*ReadOrMakeSecret(path_), *secret);
}

TEST_F(SecretTest, ThoseWhoStartAtOnceAgree) {
  std::vector<std::string> secrets(8);
  {
    std::vector<std::jthread> threads;
    for (std::string& secret : secrets) {
      threads.emplace_back([&] { secret = ReadOrMakeSecret(path_).value_or("failed"); });
    }
  }
  for (const std::string& secret : secrets) EXPECT_EQ(secret, secrets[0]);
  EXPECT_NE(secrets[0], "failed");
}

TEST_F(SecretTest, AShortSecretIsRefused) {
  ASSERT_TRUE(ReadOrMakeSecret(path_).ok());
  std::ofstream(path_) << "short\n";
  EXPECT_EQ(ReadOrMakeSecret(path_).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace phasor::gateway
