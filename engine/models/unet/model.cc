#include "engine/models/unet/model.h"

#include <string_view>
#include <utility>

#include <ATen/TensorOperators.h>

#include "engine/tensor/beside.h"

namespace phasor::engine {
namespace {

Conv2dOptions SameSize(int64_t in, int64_t out, int64_t kernel) {
  return {.in = in, .out = out, .kernel = kernel, .padding = (kernel - 1) / 2};
}

}  // namespace

WeightOptions Unet::Options(at::ScalarType dtype) {
  // What is large. Embeddings of time, the first and the last convolution and norms stay: they are
  // small, and errors in them show most.
  const auto quantise = [](const std::string& name) {
    const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
    return has("attentions.") || has("samplers.") || (has("resnets.") && has(".conv"));
  };
  return {.dtype = dtype, .rename = {}, .ignore = {}, .part = {}, .quantise = quantise};
}

StatusOr<std::unique_ptr<Unet>> Unet::Create(const UnetConfig& config, WeightStore& weights) {
  std::unique_ptr<Unet> model(new Unet(config, WeightScope(weights)));
  RETURN_IF_ERROR(weights.Finish());
  return model;
}

Unet::Unet(const UnetConfig& config, const WeightScope& weights)
    : config_(config),
      conv_in_(weights / "conv_in",
               SameSize(config.in_channels, config.down.front().channels, config.conv_in_kernel)),
      time_embedding_(weights / "time_embedding",
                      {.in = config.down.front().channels,
                       .out = config.time_embedding_dim,
                       .activation = config.activation,
                       .post_activation = config.timestep_post_activation,
                       .condition = config.time_cond_proj_dim}),
      conv_norm_out_(weights / "conv_norm_out", config.groups, config.down.front().channels,
                     config.norm_eps),
      conv_out_(weights / "conv_out", SameSize(config.down.front().channels, config.out_channels,
                                               config.conv_out_kernel)) {
  if (config.text_time) {
    // silu whatever act_fn says.
    add_embedding_.emplace(
        weights / "add_embedding",
        TimestepMlpOptions{.in = config.projection_input_dim, .out = config.time_embedding_dim});
  }
  if (config.encoder_hid_dim) {
    encoder_hid_proj_.emplace(weights / "encoder_hid_proj", *config.encoder_hid_dim,
                              config.down.front().context);
  }
  for (size_t i = 0; i < config.down.size(); ++i) {
    down_blocks_.emplace_back(weights / "down_blocks" / i, config, i);
  }
  if (config.mid != UnetMidType::kNone) mid_block_.emplace(weights / "mid_block", config);
  for (size_t i = 0; i < config.up.size(); ++i) {
    up_blocks_.emplace_back(weights / "up_blocks" / i, config, i);
  }
}

UnetContext UnetContext::Of(int64_t index) const {
  UnetContext one{{}, 1};
  for (const KeyValue& both : key_values) {
    one.key_values.push_back(
        {both.key.slice(0, index, index + 1), both.value.slice(0, index, index + 1)});
  }
  return one;
}

UnetContext Unet::Prepare(const at::Tensor& context) const {
  const at::Tensor projected = encoder_hid_proj_ ? encoder_hid_proj_->Forward(context) : context;
  UnetContext prepared{.key_values = {}, .batch = context.size(0)};
  for (const UnetDownBlock& block : down_blocks_) {
    block.ProjectContext(projected, prepared.key_values);
  }
  if (mid_block_) mid_block_->ProjectContext(projected, prepared.key_values);
  for (const UnetUpBlock& block : up_blocks_) {
    block.ProjectContext(projected, prepared.key_values);
  }
  return prepared;
}

at::Tensor Unet::TimeEmbedding(const at::Tensor& timestep, const at::Tensor& sample,
                               const UnetExtras& extras) const {
  const auto sinusoid = [&](const at::Tensor& t, int64_t width) {
    const SinusoidOptions options = {.width = width,
                                     .flip_sin_to_cos = config_.flip_sin_to_cos,
                                     .freq_shift = config_.freq_shift};
    return Beside(Sinusoid(t, options), sample.device());
  };
  const at::Tensor t = timestep.reshape({-1});  // [1 or B]
  at::Tensor temb =
      time_embedding_.Forward(sinusoid(t, config_.down.front().channels).to(sample.scalar_type()),
                              extras.time_cond);  // [1 or B, T]
  if (add_embedding_) {
    TORCH_CHECK_VALUE(extras.text_embeds.defined() && extras.time_ids.defined(),
                      "this model needs text_embeds and time_ids");
    const at::Tensor times = sinusoid(extras.time_ids.flatten(), config_.addition_time_embed_dim)
                                 .reshape({extras.text_embeds.size(0), -1});  // [B, 6 * width]
    const at::Tensor added = at::cat({extras.text_embeds, times}, -1);        // [B, projection]
    temb = temb + add_embedding_->Forward(added.to(temb.scalar_type()));
  }
  if (config_.time_embedding_activation) {
    temb = Activate(*config_.time_embedding_activation, temb);
  }
  return temb;
}

at::Tensor Unet::Forward(const at::Tensor& sample, const at::Tensor& timestep,
                         const UnetContext& context, const UnetExtras& extras) const {
  TORCH_CHECK_VALUE(sample.dim() == 4 && sample.size(1) == config_.in_channels,
                    "the UNet takes [B, ", config_.in_channels, ", h, w], not ", sample.sizes());
  TORCH_CHECK_VALUE(sample.size(0) == context.batch, "the sample's batch is ", sample.size(0),
                    ", the context's ", context.batch);
  const int64_t factor = int64_t{1} << (up_blocks_.size() - 1);
  const bool force_size = sample.size(2) % factor != 0 || sample.size(3) % factor != 0;
  const at::Tensor temb = TimeEmbedding(timestep, sample, extras);
  ContextCursor cursor(context.key_values);

  at::Tensor x = conv_in_.Forward(config_.center_input_sample ? 2 * sample - 1 : sample);
  std::vector<at::Tensor> skips = {x};
  for (const UnetDownBlock& block : down_blocks_) x = block.Forward(x, temb, cursor, skips);
  if (!extras.down_residuals.empty()) {
    TORCH_CHECK_VALUE(extras.down_residuals.size() == skips.size(), "the UNet has ", skips.size(),
                      " skips, but ", extras.down_residuals.size(), " residuals were given");
    for (size_t i = 0; i < skips.size(); ++i) skips[i] = skips[i] + extras.down_residuals[i];
  }
  if (mid_block_) x = mid_block_->Forward(x, temb, cursor);
  if (extras.mid_residual.defined()) x = x + extras.mid_residual;
  for (const UnetUpBlock& block : up_blocks_) {
    x = block.Forward(std::move(x), temb, cursor, skips, force_size);
  }
  x = conv_out_.Forward(
      conv_norm_out_.Consume(std::move(x), config_.activation));  // [B, out, h, w]
  return x.contiguous();
}

}  // namespace phasor::engine
