#include "services/worker/worker_config.h"

#include <cstdlib>
#include <fstream>
#include <initializer_list>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

StatusOr<WorkerConfig> Read(std::initializer_list<const char*> arguments) {
  std::vector<const char*> argv = {"phasor-worker"};
  argv.insert(argv.end(), arguments);
  bool exit_early = false;
  return ReadWorkerConfig(static_cast<int>(argv.size()), argv.data(), &exit_early);
}

std::string Yaml(const std::string& text) {
  const std::string path = ::testing::TempDir() + "/worker_config_test.yaml";
  std::ofstream(path) << text;
  return path;
}

TEST(WorkerConfigTest, HasDefaultsAndANameOfItsOwn) {
  const auto config = Read({});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->lease, Millis(15'000));
  EXPECT_FALSE(config->name.empty());
  EXPECT_NE(config->name, Read({})->name);
}

TEST(WorkerConfigTest, FlagsGoBeforeTheEnvironmentBeforeTheFile) {
  const std::string file = Yaml("lease: 20\nthreads: 3\nnode: here\ngateways: [a, b]\n");
  setenv("PHASOR_THREADS", "5", 1);
  const auto config = Read({"--config", file.c_str(), "--node", "there"});
  unsetenv("PHASOR_THREADS");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->lease, Millis(20'000));
  EXPECT_EQ(config->threads, 5);
  EXPECT_EQ(config->node, "there");
  EXPECT_THAT(config->gateways, ElementsAre("a", "b"));
}

TEST(WorkerConfigTest, SecondsAndPercentOfTheWorkersHealth) {
  const auto defaults = Read({});
  EXPECT_EQ(defaults->stall, Millis(20'000));
  EXPECT_EQ(defaults->cool_down, Millis(30'000));
  EXPECT_EQ(defaults->max_memory_percent, 95);
  const auto config = Read({"--stall", "0.5", "--cool-down", "2", "--max-memory-percent", "100"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->stall, Millis(500));
  EXPECT_EQ(config->cool_down, Millis(2'000));
  EXPECT_EQ(config->max_memory_percent, 100);
  const auto file =
      Read({"--config", Yaml("stall: 7\ncool_down: 8\nmax_memory_percent: 80\n").c_str()});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->stall, Millis(7'000));
  EXPECT_EQ(file->cool_down, Millis(8'000));
  EXPECT_EQ(file->max_memory_percent, 80);
  EXPECT_THAT(Message(Read({"--max-memory-percent", "101"}).status()),
              HasSubstr("--max-memory-percent"));
  EXPECT_THAT(Message(Read({"--stall", "0"}).status()), HasSubstr("--stall"));
}

TEST(WorkerConfigTest, APresetGivesDefaultsAndWhatElseIsSetWins) {
  const auto preset = Read({"--preset", "8gb"});
  ASSERT_TRUE(preset.ok()) << preset.status();
  EXPECT_EQ(preset->device, "auto");
  EXPECT_EQ(preset->vram_bytes, uint64_t{7} << 30);
  EXPECT_EQ(preset->max_models_resident, 2);
  const auto flags = Read({"--preset", "4gb", "--device", "sim", "--max-models-resident", "3",
                           "--vram", "1GiB", "--result-cache", "1MiB"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->device, "sim");
  EXPECT_EQ(flags->vram_bytes, uint64_t{1} << 30);
  EXPECT_EQ(flags->max_models_resident, 3);
  EXPECT_TRUE(flags->load_alone) << "which nobody else set";
  EXPECT_EQ(flags->result_cache_bytes, uint64_t{1} << 20);
  const auto file = Read({"--config", Yaml("preset: 24gb\nmax_models_resident: 7\n").c_str()});
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->vram_bytes, uint64_t{22} << 30);
  EXPECT_EQ(file->max_models_resident, 7);
}

TEST(WorkerConfigTest, APresetsBoundIsNoneOfTheCpus) {
  const auto cpu = Read({"--preset", "8gb", "--device", "cpu"});
  ASSERT_TRUE(cpu.ok()) << cpu.status();
  EXPECT_EQ(cpu->vram_bytes, 0u);
  EXPECT_EQ(Read({"--preset", "cpu"})->device, "cpu");
  EXPECT_EQ(Message(Read({"--preset", "16gb"}).status()),
            "--preset must be one of 4gb, 8gb, 24gb, cpu, got '16gb'");
}

TEST(WorkerConfigTest, TheDeviceMayBeSimulated) {
  const auto defaults = Read({});
  EXPECT_EQ(defaults->device, "cpu");
  EXPECT_EQ(defaults->vram_bytes, 0u);
  EXPECT_EQ(defaults->strategy, "AUTO");
  const auto config =
      Read({"--device", "sim", "--vram", "4GiB", "--strategy", "SEQUENTIAL_OFFLOAD"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->device, "sim");
  EXPECT_EQ(config->vram_bytes, uint64_t{4} << 30);
  EXPECT_EQ(config->strategy, "SEQUENTIAL_OFFLOAD");
  EXPECT_THAT(Message(Read({"--device", "tpu"}).status()),
              HasSubstr("--device must be cpu, sim, cuda:N or auto"));
  EXPECT_THAT(Message(Read({"--vram", "4GiB"}).status()), HasSubstr("--vram: only with"));
  EXPECT_THAT(Message(Read({"--device", "sim", "--vram", "0"}).status()),
              HasSubstr("--vram must be between"));
  EXPECT_THAT(Message(Read({"--device", "sim", "--vram", "10EiB"}).status()),
              HasSubstr("--vram must be between 1MiB and 1PiB, got 10EiB"));
  EXPECT_THAT(Message(Read({"--strategy", "FASTEST"}).status()),
              HasSubstr("--strategy must be one of AUTO, FP16_FULL"));
}

TEST(WorkerConfigTest, KnowsOtherServersNamesForItsLimits) {
  setenv("MAX_MODELS_IN_MEMORY", "7", 1);
  setenv("MAX_CACHE_SIZE_GB", "1.5", 1);
  setenv("MEMORY_EFFICIENT_LOADING", "true", 1);
  const auto config = Read({});
  setenv("PHASOR_MAX_MODELS_RESIDENT", "3", 1);
  const auto own = Read({});
  for (const char* name : {"MAX_MODELS_IN_MEMORY", "MAX_CACHE_SIZE_GB", "MEMORY_EFFICIENT_LOADING",
                           "PHASOR_MAX_MODELS_RESIDENT"}) {
    unsetenv(name);
  }
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->max_models_resident, 7);
  EXPECT_EQ(config->max_model_bytes, uint64_t{3} << 29);
  EXPECT_TRUE(config->load_alone);
  EXPECT_EQ(own->max_models_resident, 3) << "its own name goes before";
  EXPECT_EQ(Read({"--result-cache", "64MiB"})->result_cache_bytes, uint64_t{64} << 20);
  EXPECT_THAT(Message(Read({"--result-cache", "lots"}).status()), HasSubstr("--result-cache"));
}

TEST(WorkerConfigTest, GroupsOfJobsHaveBounds) {
  EXPECT_EQ(Read({})->group, 4);
  EXPECT_EQ(Read({})->group_wait, Millis(7'500));
  const auto config = Read({"--group", "1", "--group-wait", "2.5"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->group, 1);
  EXPECT_EQ(config->group_wait, Millis(2'500));
  EXPECT_THAT(Message(Read({"--group", "0"}).status()), HasSubstr("--group"));
  EXPECT_THAT(Message(Read({"--group", "65"}).status()), HasSubstr("--group"));
  EXPECT_THAT(Message(Read({"--group-wait", "-1"}).status()), HasSubstr("--group-wait"));
}

TEST(WorkerConfigTest, TakesTheSwitchesOfTheEnginesTable) {
  const auto config = Read({"--tf32", "on", "--attention", "math", "--channels-last", "off"});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->compute.tf32, "on");
  EXPECT_EQ(config->compute.attention, "math");
  EXPECT_EQ(config->compute.channels_last, "off");
  EXPECT_EQ(Read({"--config", Yaml("channels_last: off\n").c_str()})->compute.channels_last, "off");
  EXPECT_EQ(Read({})->compute.tf32, "") << "the engine's default";
  EXPECT_THAT(Message(Read({"--attention", "quick"}).status()),
              HasSubstr("attention: must be one of auto, flash, efficient, math, cudnn"));
  EXPECT_THAT(Message(Read({"--library-memory", "lots"}).status()), HasSubstr("library_memory: "));
}

TEST(WorkerConfigTest, TakesSeveralGateways) {
  EXPECT_THAT(Read({"--gateways", "a:1,b:2"})->gateways, ElementsAre("a:1", "b:2"));
  EXPECT_THAT(Read({"--gateways", "a:1", "--gateways", "b:2"})->gateways,
              ElementsAre("a:1", "b:2"));
}

TEST(WorkerConfigTest, RefusesWhatItDoesNotKnowByName) {
  EXPECT_THAT(Message(Read({"--config", Yaml("leese: 3\n").c_str()}).status()), HasSubstr("leese"));
  EXPECT_THAT(Message(Read({"--leese", "3"}).status()), HasSubstr("--leese"));
  EXPECT_THAT(Message(Read({"--lease", "0.5"}).status()), HasSubstr("--lease"));
  EXPECT_THAT(Message(Read({"--engine", "steam"}).status()), HasSubstr("steam"));
  EXPECT_THAT(Message(Read({"--log-level", "loud"}).status()), HasSubstr("loud"));
  EXPECT_EQ(Read({"--config", "/nowhere.yaml"}).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace phasor::worker
