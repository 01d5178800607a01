#include "services/worker/run/run_spec.h"

#include <utility>

#include "common/base/hash.h"
#include "engine/api/result_png.h"

namespace phasor::worker {
engine::RunSpec RunSpecOf(const job::GenerateSpec& spec) {
  return {.prompt = spec.prompt,
          .negative_prompt = spec.negative_prompt,
          .width = spec.width,
          .height = spec.height,
          .steps = spec.steps,
          .guidance_scale = spec.guidance_scale,
          .guidance_rescale = spec.guidance_rescale,
          .eta = spec.eta,
          .clip_skip = spec.clip_skip,
          .images = spec.images,
          .seed = spec.seed,
          .scheduler = spec.scheduler};
}

StatusOr<std::vector<Picture>> EncodePictures(const engine::Run& run, const engine::RunSpec& spec,
                                              const engine::ModelInfo& model) {
  const engine::RunReport report = run.Report();
  std::vector<Picture> pictures;
  for (const engine::Image& image : run.images()) {
    const int index = static_cast<int>(pictures.size());
    Picture picture;
    ASSIGN_OR_RETURN(picture.png, engine::ResultPng(spec, model, report, index, image));
    picture.entry = {.blob = "",
                     .sha256 = Sha256Hex(picture.png),
                     .bytes = picture.png.size(),
                     .seed = spec.seed + index,
                     .width = image.width,
                     .height = image.height};
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace phasor::worker
