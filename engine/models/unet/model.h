// UNet2DConditionModel (diffusers unet_2d_condition.py) for the SD 1.x, SD 2.x and SDXL families.
//
// Two calls: Prepare once per prompt, then Forward once per step. What Prepare computes (keys and
// values of all cross-attentions) depends on the text only. One thread; the caller holds
// c10::InferenceMode. Both throw c10::Error on misuse. Equal inputs give equal bits.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/status.h"
#include "engine/layers/timestep.h"
#include "engine/models/unet/blocks.h"
#include "engine/models/unet/config.h"

namespace phasor::engine {

// A text context, ready for any number of steps.
struct UnetContext {
  ContextKeyValues key_values;
  int64_t batch = 0;

  // One of the batch, sharing the memory.
  UnetContext Of(int64_t index) const;
};

// Inputs that most models or requests do not have; undefined tensors are absent.
struct UnetExtras {
  at::Tensor text_embeds;  // SDXL: [B, pooled width]
  at::Tensor time_ids;     // SDXL: [B, 6]
  at::Tensor time_cond;    // LCM: [B, time_cond_proj_dim]
  // ControlNet: one per skip, in the down path's order, and one for the mid block.
  std::vector<at::Tensor> down_residuals;
  at::Tensor mid_residual;
};

class Unet {
 public:
  static WeightOptions Options(at::ScalarType dtype);
  static StatusOr<std::unique_ptr<Unet>> Create(const UnetConfig& config, WeightStore& weights);

  // [B, S, D]
  UnetContext Prepare(const at::Tensor& context) const;

  // sample [B, in, h, w]; timestep a scalar or [B], any type, on the host, as is extras.time_ids
  // -> [B, out, h, w].
  at::Tensor Forward(const at::Tensor& sample, const at::Tensor& timestep,
                     const UnetContext& context, const UnetExtras& extras = {}) const;

  const UnetConfig& config() const { return config_; }

 private:
  Unet(const UnetConfig& config, const WeightScope& weights);
  at::Tensor TimeEmbedding(const at::Tensor& timestep, const at::Tensor& sample,
                           const UnetExtras& extras) const;

  UnetConfig config_;
  Conv2d conv_in_;
  TimestepMlp time_embedding_;
  std::optional<TimestepMlp> add_embedding_;
  std::optional<Linear> encoder_hid_proj_;
  std::vector<UnetDownBlock> down_blocks_;
  std::optional<UnetMidBlock> mid_block_;
  std::vector<UnetUpBlock> up_blocks_;
  GroupNorm conv_norm_out_;
  Conv2d conv_out_;
};

}  // namespace phasor::engine
