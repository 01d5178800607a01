#include "engine/api/run_spec_json.h"

namespace phasor::engine {

nlohmann::ordered_json ToJson(const RunSpec& spec) {
  return {{"prompt", spec.prompt},
          {"negative_prompt", spec.negative_prompt},
          {"width", spec.width},
          {"height", spec.height},
          {"steps", spec.steps},
          {"guidance_scale", spec.guidance_scale},
          {"guidance_rescale", spec.guidance_rescale},
          {"eta", spec.eta},
          {"clip_skip", spec.clip_skip},
          {"images", spec.images},
          {"seed", spec.seed},
          {"scheduler", spec.scheduler}};
}

}  // namespace phasor::engine
