#include "engine/runtime/fingerprint.h"

#include "common/base/hash.h"
#include "engine/api/run_spec_json.h"
#include "engine/api/version.h"

namespace phasor::engine {

std::string Fingerprint(const EngineFacts& facts, const ModelInfo& model,
                        const nlohmann::json& scheduler, const RunSpec& spec,
                        const std::string& initial_noise) {
  // Equal values are equal text. Prompts stand as digests, since text may be any bytes; the
  // scheduler stands with what it really runs by, not with the name it was asked for.
  nlohmann::json run = ToJson(spec);
  run["prompt"] = Sha256Hex(spec.prompt);
  run["negative_prompt"] = Sha256Hex(spec.negative_prompt);
  run["scheduler"] = scheduler;
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
