// How full the host's memory is, or that of the container where it has a limit: what could not be
// had back by dropping caches, in percent. Weights are mapped files, so they count as cache.
// The parsers are pure; Read opens files each time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace phasor::worker {

// Of /proc/meminfo: what is not MemAvailable.
std::optional<double> MemInfoPercent(std::string_view meminfo);

// Of a cgroup (v2): memory.current without the page cache in memory.stat, against memory.max.
// nullopt also where there is no limit.
std::optional<double> CgroupPercent(std::string_view current, std::string_view max,
                                    std::string_view stat);

// The fuller of the two; 0 where neither can be read. The arguments are where the files lie.
double ReadHostMemoryPercent(const std::string& meminfo = "/proc/meminfo",
                             const std::string& cgroup = "/sys/fs/cgroup");

}  // namespace phasor::worker
