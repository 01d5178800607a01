#include "engine/runtime/fingerprint.h"

#include "common/base/hash.h"
#include "common/picture/json.h"
#include "engine/api/version.h"

namespace phasor::engine {

std::string Fingerprint(const EngineFacts& facts, const ModelInfo& model,
                        const nlohmann::json& scheduler, const PictureSpec& spec,
                        const std::string& initial_noise) {
  nlohmann::json run = picture::FingerprintJson(spec);
  run["scheduler"] = scheduler;  // what it really runs by, not the name that was asked for
  const nlohmann::json everything = {
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
  return Sha256Hex(everything.dump());
}

}  // namespace phasor::engine
