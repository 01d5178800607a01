// What a model family gives to the run: the phases as pure functions of tensors. The run
// (engine/runtime/run_impl) owns the loop, the generators and the state; a family owns none of it.
//
// One thread. Methods throw (c10::Error, std::runtime_error): the engine's edge catches once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/config/model_card.h"
#include "engine/api/engine.h"
#include "engine/memory/cuts.h"
#include "engine/memory/model_part.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// Where a family loads from.
struct PipelineSource {
  std::string directory;
  nlohmann::json index;  // the parsed model_index.json
  config::ModelCard card;
  at::ScalarType dtype = at::kFloat;  // that the networks compute in
  std::string cache_directory;        // for digests; empty: none
  LoadProgress on_part = [](std::string_view) {};
};

// The text side's result, at batch 1: the run repeats nothing, it denoises image by image. A family
// derives from it to keep what the denoiser derives from the text once.
struct Conditioning {
  virtual ~Conditioning() = default;
  at::Tensor positive;  // [1, S, D]
  at::Tensor negative;  // [1, S, D], undefined when guidance is off
  // What Pipeline::Condition makes an equal one of.
  virtual std::vector<at::Tensor> Tensors() const { return {positive, negative}; }
};

// Which call of the denoiser this is.
struct DenoiseStep {
  double timestep = 0;
  int index = 0;
  int count = 1;                // calls of the whole run (PNDM: one more than PictureSpec::steps)
  bool split_guidance = false;  // engine/memory/cuts.h
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;
  virtual const ModelInfo& info() const = 0;
  // The parsed scheduler_config.json, with model_index.json's class under "_class_name".
  virtual const nlohmann::json& scheduler_config() const = 0;

  // INVALID_ARGUMENT for what this family or these weights can't do; cheap, called before a run.
  virtual Status Check(const PictureSpec& spec) const = 0;

  // What the user should know although it is no error, a sentence each and without prompt text;
  // `spec` has passed Check.
  virtual std::vector<std::string> Warnings(const PictureSpec& spec) const = 0;

  // What comes and goes as the phases need it. Each phase computes with the parts that name it.
  virtual const std::vector<ModelPart>& parts() const = 0;

  // What a unit of the phase takes at its peak beside weights, with what a run of it keeps
  // from one unit to the next; computed, not measured.
  virtual PassPeak PassOf(UnitKind phase, const PictureSpec& spec, const Cuts& cuts,
                          const PassKernels& kernels) const = 0;

  // What could be done in pieces, should memory be short.
  virtual Cuttable CuttableOf(const PictureSpec& spec) const = 0;

  virtual std::unique_ptr<Conditioning> Encode(const PictureSpec& spec) = 0;
  // All of a request that Encode's result depends on; empty: it is not to be remembered.
  virtual std::string TextKey(const PictureSpec& /*spec*/) const { return ""; }
  // Of the tensors of another one, without the text encoder.
  virtual std::unique_ptr<Conditioning> Condition(std::vector<at::Tensor> /*tensors*/) {
    return nullptr;
  }
  // Shape of one image's latents, [1, C, h, w].
  virtual std::vector<int64_t> LatentShape(const PictureSpec& spec) const = 0;
  // Model output for one image, guidance applied, in fp32 whatever the networks compute in.
  // `latents` is the scheduler's scaled input,
  // `conditioning` came from this pipeline's Encode; the first call may add to it.
  virtual at::Tensor Denoise(const PictureSpec& spec, const at::Tensor& latents,
                             const DenoiseStep& step, Conditioning& conditioning) = 0;
  // One image: latents as the scheduler leaves them -> [1, 3, H, W] in about [-1, 1]. `tile` is
  // one of CuttableOf's sides, or 0.
  virtual at::Tensor Decode(const at::Tensor& latents, int tile) = 0;
  // Linear latent -> RGB, [1, 3, h, w] in about [-1, 1].
  virtual at::Tensor Preview(const at::Tensor& latents) const = 0;
};

}  // namespace phasor::engine
