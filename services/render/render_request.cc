#include "services/render/render_request.h"

#include <string>

#include "common/job/generate_spec.h"

namespace phasor::render {
namespace {

job::GenerateSpec WithDefaults(const RenderOptions& options, const config::ModelCard& card) {
  job::GenerateSpec spec;
  spec.model = card.name;
  spec.prompt = options.prompt;
  spec.negative_prompt = options.negative_prompt;
  spec.width = options.width.value_or(card.defaults.width);
  spec.height = options.height.value_or(card.defaults.height);
  spec.steps = options.steps.value_or(card.defaults.steps);
  spec.guidance_scale = options.guidance_scale.value_or(card.defaults.guidance_scale);
  spec.guidance_rescale = options.guidance_rescale;
  spec.eta = options.eta;
  spec.clip_skip = options.clip_skip;
  spec.seed = options.seed;
  spec.images = options.images;
  spec.scheduler = options.scheduler.value_or(card.defaults.scheduler);
  return spec;
}

}  // namespace

StatusOr<engine::RunSpec> MakeRunSpec(const RenderOptions& options, const config::ModelCard& card) {
  const job::GenerateSpec checked = WithDefaults(options, card);
  std::string problems;
  for (const FieldViolation& violation : job::Validate(checked, card)) {
    problems += (problems.empty() ? "" : "\n") + violation.field + ": " + violation.description;
  }
  if (!problems.empty()) return InvalidArgument(problems);
  engine::RunSpec spec;
  spec.prompt = checked.prompt;
  spec.negative_prompt = checked.negative_prompt;
  spec.width = checked.width;
  spec.height = checked.height;
  spec.steps = checked.steps;
  spec.guidance_scale = checked.guidance_scale;
  spec.guidance_rescale = checked.guidance_rescale;
  spec.eta = checked.eta;
  spec.clip_skip = checked.clip_skip;
  spec.images = checked.images;
  spec.seed = checked.seed;
  spec.scheduler = checked.scheduler;
  return spec;
}

}  // namespace phasor::render
