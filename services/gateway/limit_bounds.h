// What the queue's limits may be set to, at most: for Admin.SetLimits and for `limits` in the
// gateway's file alike.
#pragma once

#include <cstdint>

namespace phasor::gateway::bounds {

inline constexpr int64_t kJobs = 1'000'000'000;  // in all, and of one tenant
inline constexpr int64_t kSetbacks = 100;        // tries, and workers lost
inline constexpr int64_t kPreemptions = 1000;    // of one job
inline constexpr int64_t kDead = 1'000'000;      // dead letters listed
inline constexpr int64_t kWeight = 1000;         // of a tenant
inline constexpr double kSeconds = 86'400;       // of every time

}  // namespace phasor::gateway::bounds
