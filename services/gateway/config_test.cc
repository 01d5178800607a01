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
      {"limits: {stall: 0.5}\n", "limits.stall"},
      {"limits: {preempt_after: -1}\n", "limits.preempt_after"},
      {"sweep_every: 0\n", "sweep_every"},
      {"keep_orphans: 0.5\n", "keep_orphans"},
      {"work_threads: many\n", "work_threads"},
      {"log_level: loud\n", "loud"},
  };
  for (const auto& [text, named] : cases) {
    const Status status = Read({"--config", File(text).c_str()}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(status), HasSubstr(named));
  }
}

TEST_F(ConfigFileTest, AllLimitsCanStandInTheFile) {
  const auto config = Read({"--config", File("limits:\n"
                                             "  max_running_per_tenant: 3\n"
                                             "  stall: 30.5\n"
                                             "  preempt_after: 0\n"
                                             "  preempt_floor: 2\n"
                                             "  max_preemptions: 0\n"
                                             "  max_dead: 5\n"
                                             "  max_ended: 6\n"
                                             "  ended_memory_percent: 7\n")
                                            .c_str()});
  ASSERT_TRUE(config.ok()) << config.status();
  queue::QueueLimits expected;
  expected.max_running_per_tenant = 3;
  expected.stall = Millis(30'500);
  expected.preempt_after = Millis(0);
  expected.preempt_floor = Millis(2'000);
  expected.max_preemptions = 0;
  expected.max_dead = 5;
  expected.max_ended = 6;
  expected.ended_memory_percent = 7;
  EXPECT_EQ(*config->limits, expected);
}

TEST_F(ConfigFileTest, DefaultQuotasChangeWhatTheyNameAndNothingElse) {
  const queue::QueueLimits standing{.max_jobs = 9, .prompt_bytes_per_tenant = 8};
  const auto none = Read({});
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(LimitsOf(*none, standing), standing);

  const auto config = Read({"--config",
                            File("limits: {max_jobs: 7}\nresult_bytes_per_tenant: 6\n"
                                 "pixel_steps_per_tenant: 1\n")
                                .c_str(),
                            "--pixel-steps-per-tenant", "5000000000"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(LimitsOf(*config, standing),
            (queue::QueueLimits{.max_jobs = 7,
                                .pixel_steps_per_tenant = 5'000'000'000,
                                .prompt_bytes_per_tenant = 8,
                                .result_bytes_per_tenant = 6}));
  EXPECT_THAT(Message(Read({"--prompt-bytes-per-tenant", "-1"}).status()),
              HasSubstr("--prompt-bytes-per-tenant"));
  EXPECT_THAT(Message(Read({"--config", File("result_bytes_per_tenant: 1.5\n").c_str()}).status()),
              HasSubstr("result_bytes_per_tenant"));
}

TEST(GatewayConfigTest, SaysHowLongTheStoreKeepsThings) {
  const auto config = Read({"--sweep-every", "60", "--keep-results", "200", "--keep-orphans", "2"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->sweep_every, std::chrono::minutes(1));
  EXPECT_EQ(config->sweep.result_retention, std::chrono::hours(200));
  EXPECT_EQ(config->sweep.orphan_after, std::chrono::hours(2));
  EXPECT_EQ(config->sweep.record_retention, Millis(0)) << "for ever";
  EXPECT_THAT(Message(Read({"--keep-results", "-1"}).status()), HasSubstr("--keep-results"));
  EXPECT_THAT(Message(Read({"--keep-records", "5"}).status()), HasSubstr("record"))
      << "shorter than the queue knows a job";
}

TEST(GatewayConfigTest, AnOperationsPortThatAsksForCertificatesMayBeReachedFromElsewhere) {
  EXPECT_THAT(Message(Read({"--metrics", "0.0.0.0:9464"}).status()), HasSubstr("operations port"));
  EXPECT_FALSE(
      Read({"--metrics", "0.0.0.0:9464", "--metrics-cert", "c", "--metrics-key", "k"}).ok())
      << "TLS alone lets everybody in";
  const auto config = Read({"--metrics", "0.0.0.0:9464", "--metrics-cert", "c", "--metrics-key",
                            "k", "--metrics-client-ca", "a"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->metrics_tls.authorities, "a");
}

TEST(GatewayConfigTest, AnUnknownFlagOrValueIsNamed) {
  EXPECT_THAT(Message(Read({"--lisen", "x"}).status()), HasSubstr("--lisen"));
  EXPECT_THAT(Message(Read({"--work-threads", "0"}).status()), HasSubstr("--work-threads"));
  EXPECT_THAT(Message(Read({"--log-format", "xml"}).status()), HasSubstr("xml"));
  EXPECT_FALSE(Read({"--config", "/nonexistent.yaml"}).ok());
}

}  // namespace
}  // namespace phasor::gateway
