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
  std::string name = info.picture.scheduler;
  for (const auto& [class_name, sampler] : kSamplers) {
    if (class_name == info.picture.scheduler) name = sampler;
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
  const PictureSpec& picture = info.picture;
  std::string text = picture.prompt;
  if (!picture.negative_prompt.empty()) text += "\nNegative prompt: " + picture.negative_prompt;
  text += "\nSteps: " + std::to_string(picture.steps);
  text += ", Sampler: " + Quoted(SamplerName(info));
  text += ", CFG scale: " + NumberText(picture.guidance_scale);
  text += ", Seed: " + std::to_string(picture.seed);
  text += ", Size: " + std::to_string(picture.width) + "x" + std::to_string(picture.height);
  if (!info.model.empty()) text += ", Model: " + Quoted(info.model);
  if (picture.clip_skip > 0) text += ", Clip skip: " + std::to_string(picture.clip_skip + 1);
  if (picture.eta > 0) text += ", Eta DDIM: " + NumberText(picture.eta);
  if (picture.guidance_rescale > 0)
    text += ", CFG Rescale phi: " + NumberText(picture.guidance_rescale);
  return text;
}

}  // namespace phasor::image
