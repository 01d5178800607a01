#include "engine/models/clip/model.h"

#include <ATen/TensorOperators.h>

#include <algorithm>

#include "engine/tensor/beside.h"
#include "engine/weights/renames.h"

namespace phasor::engine {

WeightOptions ClipTextModel::Options(at::ScalarType dtype) {
  return {.dtype = dtype,
          .rename = RenameFlatClip,
          .ignore = {"*.position_ids", "vision_model.*", "visual_projection.*", "logit_scale",
                     // Held by a whole CLIP's file, asked for by CLIPTextModelWithProjection only.
                     "text_projection.weight"}};
}

StatusOr<std::unique_ptr<ClipTextModel>> ClipTextModel::Create(const ClipConfig& config,
                                                               WeightStore& weights) {
  std::unique_ptr<ClipTextModel> model(new ClipTextModel(config, WeightScope(weights)));
  RETURN_IF_ERROR(weights.Finish());
  return model;
}

ClipTextModel::ClipTextModel(const ClipConfig& config, const WeightScope& weights)
    : config_(config),
      token_embedding_(weights / "text_model.embeddings.token_embedding", config.vocab_size,
                       config.hidden_size),
      position_embedding_(weights / "text_model.embeddings.position_embedding",
                          config.max_positions, config.hidden_size),
      final_layer_norm_(weights / "text_model.final_layer_norm", config.hidden_size,
                        config.layer_norm_eps) {
  for (int64_t i = 0; i < config.layers; ++i) {
    layers_.emplace_back(weights / "text_model.encoder.layers" / static_cast<size_t>(i), config);
  }
  if (config.with_projection) {
    text_projection_.emplace(weights / "text_projection", config.hidden_size, config.projection_dim,
                             false);
  }
}

at::Tensor ClipTextModel::Embed(const at::Tensor& ids) const {
  TORCH_CHECK_VALUE(ids.dim() == 2 && ids.size(1) <= config_.max_positions,
                    "CLIP takes [B, S] ids with S up to ", config_.max_positions, ", not ",
                    ids.sizes());
  return token_embedding_.Forward(ids) + position_embedding_.First(ids.size(1));  // [B, S, d]
}

ClipOutput ClipTextModel::Forward(const at::Tensor& ids) const {
  ClipOutput out;
  out.hidden_states.push_back(Embed(ids));
  for (const ClipLayer& layer : layers_) {
    out.hidden_states.push_back(layer.Forward(out.hidden_states.back()));
  }
  out.last_hidden_state = final_layer_norm_.Forward(out.hidden_states.back());
  out.pooled = Pool(ids, out.last_hidden_state);
  if (text_projection_) out.text_embeds = text_projection_->Forward(out.pooled);
  return out;
}

at::Tensor ClipTextModel::Encode(const at::Tensor& ids, int clip_skip) const {
  TORCH_CHECK_VALUE(clip_skip >= 0 && clip_skip <= config_.layers, "clip_skip must lie in 0 to ",
                    config_.layers, ", not ", clip_skip);
  at::Tensor x = Embed(ids);
  for (size_t i = 0; i + clip_skip < layers_.size(); ++i) x = layers_[i].Forward(x);
  return final_layer_norm_.Forward(x);
}

at::Tensor ClipTextModel::Pool(const at::Tensor& ids, const at::Tensor& last_hidden_state) const {
  const at::Device place = last_hidden_state.device();
  const at::Tensor positions =
      Beside(ClipPoolingPositions(ids, config_.eos_token_id), place);         // [B]
  const at::Tensor rows = Beside(at::arange(ids.size(0), at::kLong), place);  // [B]
  return at::index(last_hidden_state, {rows, positions});                     // [B, d]
}

at::Tensor ClipPoolingPositions(const at::Tensor& ids, int64_t eos_token_id) {
  const at::Tensor plain = ids.to(at::kLong).contiguous();
  const int64_t batch = plain.size(0);
  const int64_t length = plain.size(1);
  at::Tensor positions = at::zeros({batch}, at::kLong);
  const int64_t* id = plain.const_data_ptr<int64_t>();
  int64_t* position = positions.data_ptr<int64_t>();
  for (int64_t row = 0; row < batch; ++row, id += length) {
    const int64_t* found = eos_token_id == 2 ? std::max_element(id, id + length)
                                             : std::find(id, id + length, eos_token_id);
    position[row] = found == id + length ? 0 : found - id;
  }
  return positions;
}

}  // namespace phasor::engine
