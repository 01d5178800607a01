// The parts of a Stable Diffusion 1.x or 2.x folder, loaded and checked against one another.
// One thread; the parts are immutable after loading.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "engine/memory/model_part.h"
#include "engine/models/clip/model.h"
#include "engine/models/unet/model.h"
#include "engine/models/vae/model.h"
#include "engine/runtime/pipeline.h"
#include "engine/tokenizers/clip_tokenizer.h"

namespace phasor::engine {

struct Sd1Components {
  at::ScalarType dtype = at::kFloat;  // that the networks compute in
  ClipTokenizer tokenizer;
  std::unique_ptr<ClipTextModel> text_encoder;
  std::unique_ptr<Unet> unet;
  std::unique_ptr<AutoencoderKl> vae;
  std::vector<ModelPart> parts;
  nlohmann::json scheduler_config;  // with model_index.json's class
  // Everything that decides a picture, label -> path: what the model's digest is made of.
  std::map<std::string, std::string> files;
  uint64_t weight_bytes = 0;
  // What the files hold and nobody reads, a sentence each.
  std::vector<std::string> warnings;
};

// NOT_FOUND, DATA_LOSS and INVALID_ARGUMENT name the file and the reason.
StatusOr<Sd1Components> LoadSd1Components(const PipelineSource& source);

}  // namespace phasor::engine
