#include "engine/runtime/fingerprint.h"

#include "common/base/hash.h"
#include "engine/api/version.h"

namespace phasor::engine {

std::string Fingerprint(const EngineFacts& facts, const ModelInfo& model,
                        const nlohmann::json& scheduler, const RunSpec& spec,
                        const std::string& initial_noise) {
  // Keys are sorted and doubles are written so that they read back exactly: equal values are equal
  // text. Prompts stand as digests, since text may be any bytes.
  const nlohmann::json everything = {
      {"engine", std::string(kEngineVersion)},
      {"device", facts.device},
      {"dtype", facts.dtype},
      {"threads", facts.threads},
      {"versions", facts.versions},
      {"family", model.family},
      {"model", model.digest},
      {"scheduler", scheduler},
      {"prompt", Sha256Hex(spec.prompt)},
      {"negative_prompt", Sha256Hex(spec.negative_prompt)},
      {"width", spec.width},
      {"height", spec.height},
      {"steps", spec.steps},
      {"guidance_scale", spec.guidance_scale},
      {"guidance_rescale", spec.guidance_rescale},
      {"eta", spec.eta},
      {"clip_skip", spec.clip_skip},
      {"images", spec.images},
      {"seed", spec.seed},
      {"initial_noise", initial_noise},
  };
  return Sha256Hex(everything.dump());
}

}  // namespace phasor::engine
