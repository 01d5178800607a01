#include "services/cli/commands/machine.h"

#include <sched.h>

#include <algorithm>
#include <sstream>

#include "common/base/user_file.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxText = 16 << 20;
constexpr const char* kSets[] = {"sse4_2",      "avx",      "f16c",        "fma",
                                 "avx2",        "avx512f",  "avx512_vnni", "avx512_bf16",
                                 "avx512_fp16", "amx_bf16", "amx_int8"};

// What stands behind the colon of the first line that begins with `name`.
std::string ValueOf(const std::string& text, const std::string& name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

uint64_t KibibytesOf(const std::string& text, const std::string& name) {
  std::istringstream value(ValueOf(text, name));
  uint64_t kibibytes = 0;
  value >> kibibytes;
  return kibibytes * 1024;
}

}  // namespace

Machine ParseMachine(const std::string& cpuinfo, const std::string& meminfo) {
  Machine machine;
  machine.processor = ValueOf(cpuinfo, "model name");
  machine.memory_bytes = KibibytesOf(meminfo, "MemTotal");
  machine.free_bytes = KibibytesOf(meminfo, "MemAvailable");
  std::istringstream words(ValueOf(cpuinfo, "flags"));
  std::vector<std::string> flags;
  for (std::string word; words >> word;) flags.push_back(word);
  for (const char* set : kSets) {
    if (std::find(flags.begin(), flags.end(), set) != flags.end()) {
      machine.instruction_sets.emplace_back(set);
    }
  }
  return machine;
}

Machine ReadMachine() {
  Machine machine = ParseMachine(ReadUserText("/proc/cpuinfo", kMaxText).value_or(""),
                                 ReadUserText("/proc/meminfo", kMaxText).value_or(""));
  cpu_set_t set;
  machine.cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 0;
  return machine;
}

}  // namespace phasor::cli
