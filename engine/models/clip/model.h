// The CLIP text encoder (transformers modeling_clip.py). Weights are handles; nothing is copied.
//
// One thread; the caller holds c10::InferenceMode. Forward throws c10::Error on misuse.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/status.h"
#include "engine/layers/embedding.h"
#include "engine/models/clip/blocks.h"
#include "engine/models/clip/config.h"

namespace phasor::engine {

struct ClipOutput {
  // [B, S, d] each; 0 is the embeddings' sum, i is after layer i; none is final-normed.
  std::vector<at::Tensor> hidden_states;
  at::Tensor last_hidden_state;  // [B, S, d], final-normed
  at::Tensor pooled;             // [B, d], final-normed at the end-of-text position
  at::Tensor text_embeds;        // [B, projection_dim]; undefined without a projection
};

class ClipTextModel {
 public:
  // Weight names that a file may hold without being asked for, and the rename of flat files.
  static WeightOptions Options(at::ScalarType dtype);
  static StatusOr<std::unique_ptr<ClipTextModel>> Create(const ClipConfig& config,
                                                         WeightStore& weights);

  // ids: int64 [B, S], S at most max_positions.
  ClipOutput Forward(const at::Tensor& ids) const;

  // What SD 1.x and 2.x condition on, [B, S, d]: the last hidden state, or with clip_skip = k > 0
  // the final norm of hidden_states[-(k + 1)]. k is at most the number of layers.
  at::Tensor Encode(const at::Tensor& ids, int clip_skip) const;

  const ClipConfig& config() const { return config_; }

 private:
  ClipTextModel(const ClipConfig& config, const WeightScope& weights);
  at::Tensor Embed(const at::Tensor& ids) const;
  at::Tensor Pool(const at::Tensor& ids, const at::Tensor& last_hidden_state) const;

  ClipConfig config_;
  Embedding token_embedding_;
  Embedding position_embedding_;
  std::vector<ClipLayer> layers_;
  LayerNorm final_layer_norm_;
  std::optional<Linear> text_projection_;
};

// Where each row is pooled, [B]. Old files (eos_token_id 2) mean the first maximum of the ids,
// others the first end-of-text id, position 0 where there is none.
at::Tensor ClipPoolingPositions(const at::Tensor& ids, int64_t eos_token_id);

}  // namespace phasor::engine
