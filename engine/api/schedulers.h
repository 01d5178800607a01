// The names under which schedulers are asked for: diffusers' class names and short aliases.
// Pure tables without LibTorch, so that the gateway's checks and the engine agree.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace phasor::engine {

struct SchedulerName {
  std::string_view alias;       // "dpmpp_2m_karras"
  std::string_view class_name;  // "DPMSolverMultistepScheduler"
  bool karras = false;          // forces use_karras_sigmas
};

// All names that this version runs.
const std::vector<SchedulerName>& SchedulerNames();

// Finds by alias or by class name (the first alias of that class without Karras); nullopt if
// unknown. Matching is exact.
std::optional<SchedulerName> FindScheduler(std::string_view name);

// The name that asks for this class with or without Karras' sigmas: an alias, or the class name
// where there is none.
std::string NameOf(std::string_view class_name, bool karras);

// "ddim, pndm, ..." for error messages.
std::string SchedulerAliases();

}  // namespace phasor::engine
