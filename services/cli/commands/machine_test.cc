#include "services/cli/commands/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(MachineTest, TellsWhatKernelsAreChosenBy) {
  const Machine machine = ParseMachine(
      "processor\t: 0\nmodel name\t: A Processor\nflags\t\t: fpu avx2 avx512f avx512_bf16 smx\n"
      "processor\t: 1\nmodel name\t: A Processor\n",
      "MemTotal:       1024 kB\nMemFree:          1 kB\nMemAvailable:    512 kB\n");
  EXPECT_EQ(machine.processor, "A Processor");
  EXPECT_EQ(machine.memory_bytes, 1u << 20);
  EXPECT_EQ(machine.free_bytes, 512u << 10);
  EXPECT_THAT(machine.instruction_sets, ElementsAre("avx2", "avx512f", "avx512_bf16"));
}

TEST(MachineTest, WhatIsNotToldIsEmpty) {
  const Machine machine = ParseMachine("", "MemTotal\nMemAvailable: much\n");
  EXPECT_EQ(machine.processor, "");
  EXPECT_EQ(machine.memory_bytes, 0u);
  EXPECT_EQ(machine.free_bytes, 0u);
  EXPECT_THAT(machine.instruction_sets, IsEmpty());
}

TEST(MachineTest, ThisOneHasCoresAndMemory) {
  EXPECT_GT(ReadMachine().cores, 0);
  EXPECT_GT(ReadMachine().memory_bytes, 0u);
}

}  // namespace
}  // namespace phasor::cli
