#include "services/gateway/config.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

StatusOr<GatewayConfig> Read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "phasor-gateway");
  bool exit_early = false;
  return ReadGatewayConfig(static_cast<int>(arguments.size()), arguments.data(), &exit_early);
}

class ConfigFileTest : public testing::Test {
 protected:
  void TearDown() override {
    unlink(path_.c_str());
    unsetenv("PHASOR_REDIS");
  }
  const std::string& File(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  const std::string path_ = testing::TempDir() + "phasor_gateway_config_test.yaml";
};

TEST(GatewayConfigTest, HasDefaultsThatListenOnLoopback) {
  const auto config = Read({});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "127.0.0.1:50051");
  EXPECT_EQ(config->metrics, "127.0.0.1:9464");
  EXPECT_FALSE(config->name.empty());
  EXPECT_FALSE(config->limits.has_value());
}

TEST_F(ConfigFileTest, FlagsGoBeforeTheEnvironmentAndThatBeforeTheFile) {
  const std::string file = File(
      "redis: redis://file\nlisten: 127.0.0.1:1\nstore: from-file\ngrace: 1.5\n"
      "limits: {max_jobs: 7}\n");
  setenv("PHASOR_REDIS", "redis://environment", 1);
  const auto config = Read({"--config", file.c_str(), "--listen", "127.0.0.1:2"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->listen, "127.0.0.1:2");
  EXPECT_EQ(config->redis, "redis://environment");
  EXPECT_EQ(config->store, "from-file");
  EXPECT_EQ(config->shutdown_grace, Millis(1500));
  EXPECT_EQ(config->limits->max_jobs, 7);
}

TEST_F(ConfigFileTest, AnUnknownOrImpossibleKeyIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"lisen: x\n", "lisen"},
      {"limits: {max_jobz: 3}\n", "limits.max_jobz"},
      {"limits: {max_jobs: 0}\n", "limits.max_jobs"},
      {"work_threads: many\n", "work_threads"},
      {"log_level: loud\n", "loud"},
  };
  for (const auto& [text, named] : cases) {
    const Status status = Read({"--config", File(text).c_str()}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(status), HasSubstr(named));
  }
}

TEST(GatewayConfigTest, AnUnknownFlagOrValueIsNamed) {
  EXPECT_THAT(Message(Read({"--lisen", "x"}).status()), HasSubstr("--lisen"));
  EXPECT_THAT(Message(Read({"--work-threads", "0"}).status()), HasSubstr("--work-threads"));
  EXPECT_THAT(Message(Read({"--log-format", "xml"}).status()), HasSubstr("xml"));
  EXPECT_FALSE(Read({"--config", "/nonexistent.yaml"}).ok());
}

}  // namespace
}  // namespace phasor::gateway
