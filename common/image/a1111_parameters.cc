#include "common/image/a1111_parameters.h"

#include <array>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace phasor::image {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSamplers = {{
    {"DDIMScheduler", "DDIM"},
    {"PNDMScheduler", "PLMS"},
    {"EulerDiscreteScheduler", "Euler"},
    {"EulerAncestralDiscreteScheduler", "Euler a"},
    {"DPMSolverMultistepScheduler", "DPM++ 2M"},
}};

std::string SamplerName(const GenerationInfo& info) {
  std::string name = info.scheduler;
  for (const auto& [class_name, sampler] : kSamplers) {
    if (class_name == info.scheduler) name = sampler;
  }
  return info.karras_sigmas ? name + " Karras" : name;
}

// The shortest text that reads back as the same double: "4", "7.5".
std::string NumberText(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  return {buffer, end};
}

// Values with a separator in them stand in JSON's quotes.
std::string Quoted(const std::string& value) {
  if (value.find_first_of(",\n:") == std::string::npos) return value;
  return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string A1111Parameters(const GenerationInfo& info) {
  std::string text = info.prompt;
  if (!info.negative_prompt.empty()) text += "\nNegative prompt: " + info.negative_prompt;
  text += "\nSteps: " + std::to_string(info.steps);
  text += ", Sampler: " + Quoted(SamplerName(info));
  text += ", CFG scale: " + NumberText(info.guidance_scale);
  text += ", Seed: " + std::to_string(info.seed);
  text += ", Size: " + std::to_string(info.width) + "x" + std::to_string(info.height);
  if (!info.model.empty()) text += ", Model: " + Quoted(info.model);
  if (info.clip_skip > 0) text += ", Clip skip: " + std::to_string(info.clip_skip + 1);
  if (info.eta > 0) text += ", Eta DDIM: " + NumberText(info.eta);
  if (info.guidance_rescale > 0) text += ", CFG Rescale phi: " + NumberText(info.guidance_rescale);
  return text;
}

}  // namespace phasor::image
