#include "services/worker/take/host_memory.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

TEST(HostMemoryTest, CountsWhatIsNotAvailable) {
  EXPECT_EQ(MemInfoPercent("MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\n"),
            75);
  EXPECT_EQ(MemInfoPercent("MemTotal: 1000 kB\nMemAvailable: 2000 kB"), 0);
  for (const char* text :
       {"", "MemTotal: 1000 kB\n", "MemAvailable: 10 kB\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n",
        "MemTotal: many kB\nMemAvailable: 1 kB\n", "MemTotal:"}) {
    EXPECT_FALSE(MemInfoPercent(text)) << text;
  }
}

TEST(HostMemoryTest, AContainersCacheCanBeDroppedButNotItsSharedMemory) {
  EXPECT_EQ(CgroupPercent("900\n", "1000\n", "anon 300\nfile 500\nshmem 100\n"), 50);
  EXPECT_EQ(CgroupPercent("900\n", "1000\n", ""), 90);
  EXPECT_EQ(CgroupPercent("100\n", "1000\n", "file 500\n"), 0);
  EXPECT_FALSE(CgroupPercent("900\n", "max\n", "")) << "no limit";
  EXPECT_FALSE(CgroupPercent("", "1000\n", ""));
  EXPECT_FALSE(CgroupPercent("900\n", "0\n", ""));
}

TEST(HostMemoryTest, TakesTheFullerOfHostAndContainer) {
  const std::filesystem::path directory =
      std::filesystem::path(::testing::TempDir()) / "host_memory_test";
  std::filesystem::create_directories(directory);
  std::ofstream(directory / "meminfo") << "MemTotal: 1000 kB\nMemAvailable: 600 kB\n";
  const std::string meminfo = directory / "meminfo", missing = directory / "missing";
  EXPECT_EQ(ReadHostMemoryPercent(meminfo, missing), 40);
  EXPECT_EQ(ReadHostMemoryPercent(missing, missing), 0);
  std::ofstream(directory / "memory.current") << "800\n";
  std::ofstream(directory / "memory.max") << "1000\n";
  std::ofstream(directory / "memory.stat") << "file 100\nshmem 0\n";
  EXPECT_EQ(ReadHostMemoryPercent(meminfo, directory), 70);
  std::filesystem::remove_all(directory);
}

TEST(HostMemoryTest, ReadsThisMachine) {
  const double percent = ReadHostMemoryPercent();
  EXPECT_GT(percent, 0);
  EXPECT_LE(percent, 100);
}

}  // namespace
}  // namespace phasor::worker
