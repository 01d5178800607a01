#include "engine/runtime/fingerprint.h"

#include <algorithm>

#include "common/base/hash.h"
#include "common/picture/json.h"
#include "engine/api/version.h"

namespace phasor::engine {

bool CutsTaken::none() const {
  return split_guidance_from < 0 &&
         std::all_of(vae_tiles.begin(), vae_tiles.end(), [](int tile) { return tile == 0; });
}

std::string Fingerprint(const EngineFacts& facts, const ModelInfo& model,
                        const nlohmann::json& scheduler, const PictureSpec& spec,
                        const std::string& initial_noise, const CutsTaken& cuts) {
  nlohmann::json run = picture::FingerprintJson(spec);
  run["scheduler"] = scheduler;  // what it really runs by, not the name that was asked for
  nlohmann::json everything = {
      {"engine", std::string(kEngineVersion)},
      {"device", facts.device},
      {"dtype", facts.dtype},
      {"threads", facts.threads},
      {"versions", facts.versions},
      {"processor", facts.processor},
      {"family", model.family},
      {"model", model.digest},
      {"run", std::move(run)},
      {"initial_noise", initial_noise},
  };
  if (!facts.weights.empty()) everything["weights"] = facts.weights;
  if (!facts.compute.empty()) everything["compute"] = facts.compute;
  if (!cuts.none()) {
    everything["cuts"] = {{"split_guidance_from", cuts.split_guidance_from},
                          {"vae_tiles", cuts.vae_tiles}};
  }
  return Sha256Hex(everything.dump());
}

}  // namespace phasor::engine
