#include "common/image/generation_info.h"

#include <nlohmann/json.hpp>

#include "common/image/a1111_parameters.h"

namespace phasor::image {

std::string PhasorJson(const GenerationInfo& info) {
  const nlohmann::json json = {
      {"prompt", info.prompt},
      {"negative_prompt", info.negative_prompt},
      {"width", info.width},
      {"height", info.height},
      {"steps", info.steps},
      {"guidance_scale", info.guidance_scale},
      {"guidance_rescale", info.guidance_rescale},
      {"eta", info.eta},
      {"clip_skip", info.clip_skip},
      {"seed", info.seed},
      {"scheduler", info.scheduler},
      {"karras_sigmas", info.karras_sigmas},
      {"model", info.model},
      {"model_digest", info.model_digest},
  };
  constexpr bool kAscii = true;
  return json.dump(-1, ' ', kAscii, nlohmann::json::error_handler_t::replace);
}

std::vector<PngText> TextsOf(const GenerationInfo& info) {
  return {{"parameters", A1111Parameters(info)}, {"phasor", PhasorJson(info)}};
}

}  // namespace phasor::image
