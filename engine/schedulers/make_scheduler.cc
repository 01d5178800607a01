// The table of scheduler classes, and the rules by which one class's file becomes another class's
// config (diffusers 0.42.1 configuration_utils.py extract_init_dict, and the constructor of
// pipelines/stable_diffusion/pipeline_stable_diffusion.py for the fix-ups).
#include <array>
#include <cmath>
#include <string_view>

#include "engine/api/schedulers.h"
#include "engine/schedulers/scheduler_base.h"

namespace phasor::engine {
namespace {

struct SchedulerClass {
  std::string_view name;
  SchedulerFactory make;
  bool clip_sample_default;  // the class has the key clip_sample, true by default
};

constexpr std::array kClasses = {
    SchedulerClass{"DDIMScheduler", MakeDdim, true},
    SchedulerClass{"DPMSolverMultistepScheduler", MakeDpmSolverMultistep, false},
    SchedulerClass{"EulerAncestralDiscreteScheduler", MakeEulerAncestral, false},
    SchedulerClass{"EulerDiscreteScheduler", MakeEuler, false},
    SchedulerClass{"PNDMScheduler", MakePndm, false},
};

const SchedulerClass* FindClass(std::string_view name) {
  for (const SchedulerClass& candidate : kClasses) {
    if (candidate.name == name) return &candidate;
  }
  return nullptr;
}

// The keys that were given explicitly, without diffusers' bookkeeping.
nlohmann::json ExplicitKeys(const nlohmann::json& config) {
  nlohmann::json keys = nlohmann::json::object();
  for (const auto& [key, value] : config.items()) {
    if (!key.starts_with('_')) keys[key] = value;
  }
  if (auto defaults = config.find("_use_default_values");
      defaults != config.end() && defaults->is_array()) {
    for (const nlohmann::json& key : *defaults) {
      if (key.is_string()) keys.erase(key.get<std::string>());
    }
  }
  return keys;
}

// What a pipeline does to its scheduler's config. Keys that the file leaves at their defaults are
// fixed only where the file's own class is the one to run (`same_class`): a default is never
// handed to another class.
void FixUp(nlohmann::json& keys, bool same_class, bool clip_sample_default) {
  if (keys.contains("steps_offset") || same_class) keys["steps_offset"] = 1;
  const bool clips = keys.contains("clip_sample") ? keys["clip_sample"] == true
                                                  : clip_sample_default && same_class;
  if (clips) keys["clip_sample"] = false;
}

}  // namespace

StatusOr<nlohmann::json> ParseSchedulerConfig(const std::string& text) {
  std::string strict;
  constexpr std::string_view kInfinity = "Infinity";
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      strict += text[i++];
      if (i < text.size()) strict += text[i];
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    const size_t sign = text[i] == '-' ? 1 : 0;
    if (!in_string && text.compare(i + sign, kInfinity.size(), kInfinity) == 0) {
      strict += '"' + text.substr(i, sign + kInfinity.size()) + '"';
      i += sign + kInfinity.size() - 1;
      continue;
    }
    strict += text[i];
  }
  nlohmann::json config = nlohmann::json::parse(strict, nullptr, /*allow_exceptions=*/false);
  if (config.is_discarded() || !config.is_object()) {
    return InvalidArgument("scheduler_config.json is not a JSON object");
  }
  return config;
}

StatusOr<std::unique_ptr<Scheduler>> MakeScheduler(const nlohmann::json& config,
                                                   const SchedulerOptions& options) {
  if (!config.is_object()) return InvalidArgument("scheduler config: must be a JSON object");
  if (!(options.eta >= 0 && options.eta <= 1)) {
    return InvalidArgument("eta must be from 0 to 1");
  }
  const auto in_file = config.find("_class_name");
  const std::string file_class =
      in_file != config.end() && in_file->is_string() ? in_file->get<std::string>() : "";
  std::string wanted = file_class;
  bool karras = false;
  if (!options.name.empty()) {
    const std::optional<SchedulerName> name = FindScheduler(options.name);
    if (!name) {
      return InvalidArgument("scheduler: unknown name \"" + options.name.substr(0, 60) +
                             "\"; known are " + SchedulerAliases());
    }
    wanted = std::string(name->class_name);
    karras = name->karras;
  }
  const SchedulerClass* chosen = FindClass(wanted);
  if (chosen == nullptr) {
    return InvalidArgument("scheduler config: _class_name \"" + wanted.substr(0, 60) +
                           "\" is not supported; ask for one of " + SchedulerAliases());
  }
  nlohmann::json keys = ExplicitKeys(config);
  if (options.pipeline_fixups) {
    const bool same_class = file_class.empty() || file_class == wanted;
    FixUp(keys, same_class, chosen->clip_sample_default);
  }
  if (karras) {
    keys["use_karras_sigmas"] = true;
    keys.erase("use_exponential_sigmas");
    keys.erase("use_beta_sigmas");
  }
  keys.update(options.overrides);
  return chosen->make(keys, options.eta);
}

}  // namespace phasor::engine
