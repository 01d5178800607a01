#include "services/cli/up/fleet_plan.h"

#include <algorithm>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/cli/link/address.h"

namespace phasor::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const Programs kPrograms{"/r/redis-server", "/b/phasor-gateway", "/b/phasor-worker"};

std::string ValueOf(const ProcessPlan& plan, const std::string& flag) {
  const auto found = std::find(plan.argv.begin(), plan.argv.end(), flag);
  return found == plan.argv.end() ? "absent" : *(found + 1);
}

TEST(FleetPlanTest, StartsRedisThenGatewayThenWorkers) {
  const auto plans = PlanFleet({.directory = "/d", .workers = 2}, kPrograms, 8);
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->size(), 4u);
  EXPECT_EQ((*plans)[0].argv[0], "/r/redis-server");
  EXPECT_EQ((*plans)[1].argv[0], "/b/phasor-gateway");
  EXPECT_LT((*plans)[0].stage, (*plans)[1].stage);
  EXPECT_LT((*plans)[1].stage, (*plans)[2].stage);
  EXPECT_EQ((*plans)[2].stage, (*plans)[3].stage);
  EXPECT_NE((*plans)[2].name, (*plans)[3].name);
}

TEST(FleetPlanTest, WithKeysGatewaysAskForOneAndWorkersCarryTheirs) {
  const auto plans = PlanFleet({.directory = "/d", .keys = true}, kPrograms, 8);
  EXPECT_EQ(ValueOf((*plans)[1], "--keys"), "/d/keys.jsonl");
  EXPECT_EQ(ValueOf((*plans)[2], "--credential-file"), "/d/worker.key");
  const auto open = PlanFleet({.directory = "/d"}, kPrograms, 8);
  EXPECT_EQ(ValueOf((*open)[1], "--keys"), "absent");
}

TEST(FleetPlanTest, WithTlsGatewaysShowACertificateThatWorkersTrust) {
  const auto plans = PlanFleet({.directory = "/d", .tls = true}, kPrograms, 8);
  EXPECT_EQ(ValueOf((*plans)[1], "--tls-cert"), "/d/tls/gateway.pem");
  EXPECT_EQ(ValueOf((*plans)[1], "--tls-key"), "/d/tls/gateway.key");
  EXPECT_EQ(ValueOf((*plans)[2], "--tls-ca"), AuthorityFile("/d"));
  const auto plain = PlanFleet({.directory = "/d"}, kPrograms, 8);
  EXPECT_EQ(ValueOf((*plain)[1], "--tls-cert"), "absent");
  EXPECT_THAT((*plain)[1].argv, Not(Contains("--insecure")));
  const auto open = PlanFleet({.directory = "/d", .insecure = true}, kPrograms, 8);
  EXPECT_THAT((*open)[1].argv, Contains("--insecure"));
}

TEST(FleetPlanTest, KeepsWhatIsAcknowledged) {
  const ProcessPlan redis = PlanFleet({.directory = "/d"}, kPrograms, 1)->front();
  EXPECT_EQ(ValueOf(redis, "--appendonly"), "yes");
  EXPECT_EQ(ValueOf(redis, "--maxmemory-policy"), "noeviction");
  EXPECT_EQ(ValueOf(redis, "--port"), "0");
}

TEST(FleetPlanTest, EncodesWhatGoesIntoAUrl) {
  const auto plans = PlanFleet({.directory = "/d/what? 50%"}, kPrograms, 1);
  ASSERT_TRUE(plans.ok()) << plans.status();
  EXPECT_EQ(ValueOf((*plans)[0], "--unixsocket"), "/d/what? 50%/redis.sock");
  for (size_t i = 1; i < plans->size(); ++i) {
    EXPECT_EQ(ValueOf((*plans)[i], "--redis"), "unix:///d/what%3F%2050%25/redis.sock");
  }
}

TEST(FleetPlanTest, WorkersGetTheSwitchesThatAreGiven) {
  UpOptions options{.directory = "/d"};
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    const auto plain = PlanFleet({.directory = "/d"}, kPrograms, 2);
    EXPECT_EQ(ValueOf(plain->back(), one.flag()), "absent") << "the worker's default";
    options.compute.*one.word = one.words.back();
  }
  const auto plans = PlanFleet(options, kPrograms, 2);
  ASSERT_TRUE(plans.ok()) << plans.status();
  for (const engine::ComputeSwitch& one : engine::ComputeSwitches()) {
    EXPECT_EQ(ValueOf(plans->back(), one.flag()), one.words.back());
  }
  options.compute.tf32 = "perhaps";
  EXPECT_THAT(Message(PlanFleet(options, kPrograms, 2).status()),
              HasSubstr("tf32: must be one of"));
}

TEST(FleetPlanTest, WorkersGetTheDeviceAndWhatNoneWouldTakeIsSaidAtOnce) {
  const auto plans =
      PlanFleet({.directory = "/d", .device = "sim", .vram = "4GiB", .strategy = "CPU_OFFLOAD"},
                kPrograms, 2);
  ASSERT_TRUE(plans.ok()) << plans.status();
  EXPECT_EQ(ValueOf(plans->back(), "--device"), "sim");
  EXPECT_EQ(ValueOf(plans->back(), "--vram"), "4GiB");
  EXPECT_EQ(ValueOf(plans->back(), "--strategy"), "CPU_OFFLOAD");
  EXPECT_EQ(ValueOf(PlanFleet({.directory = "/d"}, kPrograms, 2)->back(), "--vram"), "absent");
  const UpOptions wrong[] = {
      {.device = "sim", .vram = "0"},    {.device = "sim", .vram = "10EiB"},
      {.device = "sim", .vram = "much"}, {.vram = "4GiB"},
      {.device = "cpu", .vram = "4GiB"}, {.strategy = "FASTEST"},
  };
  for (const UpOptions& options : wrong) {
    const Status status = CheckDevice(options);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << options.vram << options.strategy;
    EXPECT_NE(Message(status).find(options.vram.empty() ? "--strategy" : "--vram"),
              std::string::npos);
  }
}

TEST(FleetPlanTest, WorkersGetAPresetWhoseDeviceTakesABound) {
  const UpOptions options = {.directory = "/d", .preset = "8gb", .vram = "6GiB"};
  EXPECT_TRUE(CheckDevice(options).ok()) << CheckDevice(options);
  const ProcessPlan worker = PlanFleet(options, kPrograms, 2)->back();
  EXPECT_EQ(ValueOf(worker, "--preset"), "8gb");
  EXPECT_EQ(ValueOf(worker, "--device"), "absent");
  EXPECT_EQ(Message(CheckDevice({.preset = "9gb"})),
            "--preset must be one of 4gb, 8gb, 24gb, cpu, got '9gb'");
  EXPECT_EQ(Message(CheckDevice({.preset = "cpu", .vram = "4GiB"})),
            "--vram: only with --device sim, cuda:N or auto");
}

TEST(FleetPlanTest, SplitsTheCoresAndGivesEachWorkerASlot) {
  const auto threads = [](int workers, int cores) {
    return ValueOf(PlanFleet({.directory = "/d", .workers = workers}, kPrograms, cores)->back(),
                   "--threads");
  };
  EXPECT_EQ(threads(2, 8), "4");
  EXPECT_EQ(threads(3, 8), "2");
  EXPECT_EQ(threads(4, 2), "1");
  const auto plans = PlanFleet({.directory = "/d", .workers = 2}, kPrograms, 2);
  EXPECT_NE(ValueOf((*plans)[2], "--node"), ValueOf((*plans)[3], "--node"));
}

TEST(FleetPlanTest, GivesEachGatewayItsAddressAndTellsTheWorkersAll) {
  const auto plans = PlanFleet({.directory = "/d",
                                .gateways = 2,
                                .listen = "unix:/d/gateway.sock",
                                .metrics = "127.0.0.1:9464"},
                               kPrograms, 1);
  ASSERT_TRUE(plans.ok()) << plans.status();
  ASSERT_EQ(plans->size(), 4u);
  EXPECT_EQ((*plans)[1].name, "gateway");
  EXPECT_EQ((*plans)[2].name, "gateway-2");
  EXPECT_EQ((*plans)[1].stage, (*plans)[2].stage);
  EXPECT_EQ(ValueOf((*plans)[2], "--listen"), "unix:/d/gateway-2.sock");
  EXPECT_EQ(ValueOf((*plans)[2], "--metrics"), "127.0.0.1:9465");
  EXPECT_EQ(ValueOf((*plans)[2], "--secret-file"), ValueOf((*plans)[1], "--secret-file"));
  EXPECT_EQ(ValueOf((*plans)[3], "--gateways"), "unix:/d/gateway.sock,unix:/d/gateway-2.sock");
  EXPECT_FALSE(PlanFleet({.directory = "/d", .gateways = 0}, kPrograms, 1).ok());
}

TEST(ConsecutiveAddressesTest, CountUpFromTheFirst) {
  const auto of = [](const std::string& first, int count) {
    const auto all = ConsecutiveAddresses(first, count);
    return all.ok() ? AddressText(*all) : all.status().ToString();
  };
  EXPECT_EQ(of("h:0", 1), "h:0");
  EXPECT_EQ(of("h:7", 3), "h:7 and h:8 and h:9");
  EXPECT_EQ(of("[::1]:7", 2), "[::1]:7 and [::1]:8");
  EXPECT_EQ(of("unix:/a.b/sock", 2), "unix:/a.b/sock and unix:/a.b/sock-2");
  for (const char* first : {"h:65535", "h:0", "h", "h:x"}) {
    EXPECT_THAT(of(first, 2), HasSubstr("consecutive ports")) << first;
  }
}

TEST(FleetPlanTest, NamesTheEngineOnlyWhenAsked) {
  const ProcessPlan plain = PlanFleet({.directory = "/d"}, kPrograms, 1)->back();
  EXPECT_THAT(plain.argv, Not(Contains("--engine")));
  const ProcessPlan fake = PlanFleet({.directory = "/d", .engine = "fake"}, kPrograms, 1)->back();
  EXPECT_EQ(ValueOf(fake, "--engine"), "fake");
}

TEST(FleetPlanTest, RefusesADirectoryThatIsTooLongForItsSockets) {
  const auto plans = PlanFleet({.directory = "/" + std::string(120, 'd')}, kPrograms, 1);
  EXPECT_EQ(plans.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(plans.status()), HasSubstr("too long"));
}

}  // namespace
}  // namespace phasor::cli
