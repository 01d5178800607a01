#include "engine/api/result_png.h"

#include "common/image/generation_info.h"
#include "common/image/png.h"

namespace phasor::engine {

StatusOr<std::string> ResultPng(const RunSpec& spec, const ModelInfo& model,
                                const RunReport& report, int index, const Image& image) {
  image::GenerationInfo info;
  info.prompt = spec.prompt;
  info.negative_prompt = spec.negative_prompt;
  info.width = image.width;
  info.height = image.height;
  info.steps = spec.steps;
  info.guidance_scale = spec.guidance_scale;
  info.guidance_rescale = spec.guidance_rescale;
  info.eta = report.eta;
  info.clip_skip = spec.clip_skip;
  info.seed = spec.seed + index;
  info.scheduler = report.scheduler;
  info.karras_sigmas = report.karras_sigmas;
  info.model = model.name;
  info.model_digest = model.digest;
  return image::EncodePng(image.width, image.height, image.rgb, image::TextsOf(info));
}

}  // namespace phasor::engine
