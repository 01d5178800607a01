#include "engine/api/schedulers.h"

namespace phasor::engine {

const std::vector<SchedulerName>& SchedulerNames() {
  static const std::vector<SchedulerName> names = {
      {"ddim", "DDIMScheduler"},
      {"pndm", "PNDMScheduler"},
      {"euler", "EulerDiscreteScheduler"},
      {"euler_karras", "EulerDiscreteScheduler", true},
      {"euler_a", "EulerAncestralDiscreteScheduler"},
      {"dpmpp_2m", "DPMSolverMultistepScheduler"},
      {"dpmpp_2m_karras", "DPMSolverMultistepScheduler", true},
  };
  return names;
}

std::optional<SchedulerName> FindScheduler(std::string_view name) {
  for (const SchedulerName& candidate : SchedulerNames()) {
    if (candidate.alias == name || candidate.class_name == name) return candidate;
  }
  return std::nullopt;
}

std::string NameOf(std::string_view class_name, bool karras) {
  for (const SchedulerName& name : SchedulerNames()) {
    if (name.class_name == class_name && name.karras == karras) return std::string(name.alias);
  }
  return std::string(class_name);
}

std::string SchedulerAliases() {
  std::string text;
  for (const SchedulerName& name : SchedulerNames()) {
    if (!text.empty()) text += ", ";
    text += name.alias;
  }
  return text;
}

}  // namespace phasor::engine
