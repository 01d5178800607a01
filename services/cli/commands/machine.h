// What this machine has that decides how pictures are drawn on it: cores, memory, instruction sets.
// Reads /proc; what is not told there is empty or 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace phasor::cli {

struct Machine {
  std::string processor;
  int cores = 0;  // that this process may use
  uint64_t memory_bytes = 0;
  uint64_t free_bytes = 0;                    // that programs can have without others losing any
  std::vector<std::string> instruction_sets;  // of those that kernels are chosen by
};

Machine ReadMachine();

// Of the texts of /proc/cpuinfo and /proc/meminfo. Pure.
Machine ParseMachine(const std::string& cpuinfo, const std::string& meminfo);

}  // namespace phasor::cli
