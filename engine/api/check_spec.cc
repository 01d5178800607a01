#include "engine/api/check_spec.h"

#include <algorithm>
#include <cmath>

#include "engine/api/schedulers.h"

namespace phasor::engine {
namespace {

// What the arithmetic stands, not what is sensible: the model card limits that.
constexpr int kMaxSize = 16384;
constexpr int kMaxSteps = 1000;
constexpr int kMaxImages = 256;
constexpr int kMaxClipSkip = 64;
constexpr double kMaxGuidance = 1000;

Status Wrong(const std::string& field, const std::string& rule, const std::string& got) {
  return InvalidArgument(field + ": must be " + rule + ", got " + got);
}

Status CheckRange(const std::string& field, int value, int low, int high) {
  if (value >= low && value <= high) return OkStatus();
  return Wrong(field, "between " + std::to_string(low) + " and " + std::to_string(high),
               std::to_string(value));
}

Status CheckRange(const std::string& field, double value, double low, double high) {
  if (value >= low && value <= high) return OkStatus();  // false for NaN
  return Wrong(field, "between " + std::to_string(low) + " and " + std::to_string(high),
               std::to_string(value));
}

Status CheckSide(const std::string& field, int value, int multiple) {
  RETURN_IF_ERROR(CheckRange(field, value, multiple, kMaxSize));
  if (value % multiple == 0) return OkStatus();
  return Wrong(field, "a multiple of " + std::to_string(multiple), std::to_string(value));
}

Status CheckScheduler(const std::string& name, const ModelInfo& model) {
  if (name.empty()) return OkStatus();
  const auto found = FindScheduler(name);
  const bool runs = found && std::find(model.schedulers.begin(), model.schedulers.end(),
                                       found->class_name) != model.schedulers.end();
  if (runs) return OkStatus();
  return InvalidArgument("scheduler: unknown name '" + name + "', known are " + SchedulerAliases());
}

}  // namespace

Status CheckSpec(const RunSpec& spec, const ModelInfo& model) {
  RETURN_IF_ERROR(CheckSide("width", spec.width, model.size_multiple));
  RETURN_IF_ERROR(CheckSide("height", spec.height, model.size_multiple));
  RETURN_IF_ERROR(CheckRange("steps", spec.steps, 1, kMaxSteps));
  RETURN_IF_ERROR(CheckRange("guidance_scale", spec.guidance_scale, 0.0, kMaxGuidance));
  RETURN_IF_ERROR(CheckRange("guidance_rescale", spec.guidance_rescale, 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("eta", spec.eta, 0.0, 1.0));
  RETURN_IF_ERROR(CheckRange("clip_skip", spec.clip_skip, 0, kMaxClipSkip));
  RETURN_IF_ERROR(CheckRange("images", spec.images, 1, kMaxImages));
  return CheckScheduler(spec.scheduler, model);
}

}  // namespace phasor::engine
