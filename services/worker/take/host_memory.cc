#include "services/worker/take/host_memory.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>

namespace phasor::worker {
namespace {

constexpr size_t kMaxFile = 64 << 10;  // bytes

std::optional<uint64_t> LeadingNumber(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

// The number after `name` at the beginning of a line.
std::optional<uint64_t> NumberOf(std::string_view text, std::string_view name) {
  for (size_t line = 0; line < text.size();) {
    if (text.substr(line, name.size()) == name)
      return LeadingNumber(text.substr(line + name.size()));
    const size_t end = text.find('\n', line);
    if (end == std::string_view::npos) break;
    line = end + 1;
  }
  return std::nullopt;
}

double Percent(uint64_t part, uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// Files of /proc and /sys say that they have no bytes, so they are read until they end.
std::string ReadOrEmpty(const std::string& path) {
  std::string text(kMaxFile, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

std::optional<double> MemInfoPercent(std::string_view meminfo) {
  const auto total = NumberOf(meminfo, "MemTotal:");
  const auto available = NumberOf(meminfo, "MemAvailable:");
  if (!total || !available || *total == 0) return std::nullopt;
  return Percent(*total - std::min(*available, *total), *total);
}

std::optional<double> CgroupPercent(std::string_view current, std::string_view max,
                                    std::string_view stat) {
  const auto used = LeadingNumber(current), limit = LeadingNumber(max);
  if (!used || !limit || *limit == 0) return std::nullopt;  // "max": no limit
  const uint64_t files = NumberOf(stat, "file ").value_or(0);
  const uint64_t shared = NumberOf(stat, "shmem ").value_or(0);  // in `file`, but can't be dropped
  const uint64_t cache = files - std::min(shared, files);
  return Percent(*used - std::min(cache, *used), *limit);
}

double ReadHostMemoryPercent(const std::string& meminfo, const std::string& cgroup) {
  const auto host = MemInfoPercent(ReadOrEmpty(meminfo));
  const auto container =
      CgroupPercent(ReadOrEmpty(cgroup + "/memory.current"), ReadOrEmpty(cgroup + "/memory.max"),
                    ReadOrEmpty(cgroup + "/memory.stat"));
  return std::max(host.value_or(0), container.value_or(0));
}

}  // namespace phasor::worker
