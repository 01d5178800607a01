// `phasor keys` on a file of keys, as the gateways read it.
#include "services/cli/commands/key_commands.h"

#include <sys/stat.h>

#include <string>

#include <gmock/gmock.h>

#include "common/access/api_key.h"
#include "common/access/stores/file_key_store.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "services/cli/command_fixture.h"

namespace phasor::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class KeyCommandsTest : public CommandFixture {
 protected:
  KeyCommandsTest() : CommandFixture({}) {}

  int Keys(std::vector<std::string> words) {
    words.insert(words.begin(), "keys");
    words.insert(words.end(), {"--keys-file", path_});
    return Run(words);
  }
  // The key that the last command showed.
  std::string Shown() const { return out_.str().substr(0, out_.str().find('\n')); }

  const std::string path_ = ::testing::TempDir() + "cli-keys-" + RandomToken();
};

TEST_F(KeyCommandsTest, AKeyIsShownOnceAndProvesItsRecord) {
  ASSERT_EQ(Keys({"create", "--name", "web", "--tenant", "acme", "--roles", "draw,read"}), kOk);
  const std::string key = Shown();
  const auto parts = access::SplitKey(key);
  ASSERT_TRUE(parts.has_value()) << out_.str();
  const auto list = access::FileKeyStore(path_).Read();
  ASSERT_EQ(list->keys.size(), 1u);
  EXPECT_TRUE(access::Proves(parts->secret, list->keys[0]));
  EXPECT_EQ(list->keys[0].tenant, "acme");
  EXPECT_EQ(list->keys[0].expires_ms - list->keys[0].created_ms, 365LL * 24 * 3600 * 1000);
  const std::string secret(parts->secret);
  ASSERT_EQ(Keys({"list"}), kOk);
  EXPECT_THAT(out_.str(), HasSubstr("acme"));
  EXPECT_THAT(out_.str(), Not(HasSubstr(secret)));
}

TEST_F(KeyCommandsTest, AKeyThatGoesToAFileIsNotShown) {
  const std::string file = path_ + ".key";
  ASSERT_EQ(Keys({"create", "--roles", "operate", "--days", "0", "-o", file}), kOk);
  const auto written = ReadFile(file, 1000);
  ASSERT_TRUE(written.ok());
  const std::string key = written->substr(0, written->find('\n'));
  EXPECT_TRUE(access::SplitKey(key).has_value());
  EXPECT_THAT(out_.str() + err_.str(), Not(HasSubstr(key)));
  struct stat facts {};
  ASSERT_EQ(stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_EQ(access::FileKeyStore(path_).Read()->keys[0].expires_ms, 0);
}

TEST_F(KeyCommandsTest, RevokingTakesIdsAndKeys) {
  ASSERT_EQ(Keys({"create", "--tenant", "a", "--roles", "draw"}), kOk);
  const std::string first = Shown();
  ASSERT_EQ(Keys({"create", "--tenant", "a", "--roles", "draw"}), kOk);
  const std::string second(access::SplitKey(Shown())->id);
  EXPECT_EQ(Keys({"revoke", first, second}), kOk);
  EXPECT_TRUE(access::FileKeyStore(path_).Read()->keys.empty());
  EXPECT_THAT(out_.str(), Not(HasSubstr(first)));
  EXPECT_NE(Keys({"revoke", second}), kOk);
}

TEST_F(KeyCommandsTest, WhatMakesNoSenseIsSaidBeforeAnythingIsMade) {
  EXPECT_NE(Keys({"create", "--roles", "draw"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("tenant"));
  EXPECT_NE(Keys({"create", "--tenant", "a", "--roles", "admin"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("'admin' is no role"));
  EXPECT_EQ(Run({"keys", "create", "--tenant", "a"}), kUsage);
  EXPECT_NE(Run({"keys", "list"}), kOk);
  EXPECT_THAT(err_.str(), HasSubstr("--keys-file"));
  EXPECT_FALSE(access::FileKeyStore(path_).Read().ok());
}

}  // namespace
}  // namespace phasor::cli
