#include "engine/models/unet/unet_tally.h"

#include <vector>

namespace phasor::engine {
namespace {

class Walk {
 public:
  Walk(Tally& tally, const UnetConfig& config, const UnetShape& shape)
      : tally_(tally), config_(config), shape_(shape), height_(shape.height), width_(shape.width) {}

  void Run() {
    const int64_t first = config_.down.front().channels;
    TallyConvolution(tally_,
                     {.in = config_.in_channels, .out = first, .kernel = config_.conv_in_kernel},
                     pixels());
    skips_.push_back({first, height_, width_});
    for (size_t level = 0; level < config_.down.size(); ++level) Down(level);
    Middle();
    for (size_t level = 0; level < config_.up.size(); ++level) Up(level);
    TallyConsumingNorm(tally_, channels_, pixels());
    TallyConvolution(
        tally_, {.in = channels_, .out = config_.out_channels, .kernel = config_.conv_out_kernel},
        pixels());
    tally_.Need(config_.out_channels * pixels());  // the same in another order
    tally_.Give(channels_ * pixels());
  }

 private:
  struct Skip {
    int64_t channels = 0, height = 0, width = 0;
  };

  int64_t pixels() const { return shape_.batch * height_ * width_; }

  void Resnet(int64_t in, int64_t out, bool given) {
    TallyResnet(tally_,
                {.in = in,
                 .out = out,
                 .temb = config_.time_embedding_dim,
                 .scale_shift = config_.scale_shift},
                pixels(), given);
  }

  // Takes the transformer's result and gives back its input, which only the caller of it held.
  void Transformer(const UnetLevel& level, size_t index) {
    const int64_t c = level.channels;
    const int64_t values = c * pixels();
    TallyNorm(tally_, c, pixels());
    TallyLinear(tally_, c, c, pixels());
    tally_.Give(values);  // the norm
    for (int64_t i = 0; i < level.transformer_layers[index]; ++i) Block(level);
    TallyLinear(tally_, c, c, pixels());
    tally_.Give(2 * values);  // the last block's result; the input
  }

  // TransformerBlock: takes its result, gives back its input.
  void Block(const UnetLevel& level) {
    const int64_t c = level.channels;
    const int64_t values = c * pixels();
    const AttentionShape itself = {.batch = shape_.batch,
                                   .queries = height_ * width_,
                                   .keys = height_ * width_,
                                   .channels = c,
                                   .heads = level.heads};
    AttentionShape text = itself;
    text.keys = shape_.tokens;
    TallyNorm(tally_, c, pixels());
    if (level.only_cross_attention) {
      TallyAttention(tally_, text, /*bias=*/false);
    } else {
      TallySelfAttention(tally_, itself, /*bias=*/false);
    }
    TallyNorm(tally_, c, pixels());
    TallyAttention(tally_, text, /*bias=*/false);
    tally_.Give(2 * values);  // the second norm, the sum before
    TallyNorm(tally_, c, pixels());
    TallyLinear(tally_, c, 8 * c, pixels());
    TallyLinear(tally_, 4 * c, c, pixels());
    tally_.Give(8 * values);
    tally_.Give(4 * values);  // the first and third norm, the sum before, the input
  }

  void Down(size_t level) {
    const UnetLevel& own = config_.down[level];
    for (int64_t i = 0; i < own.layers; ++i) {
      Resnet(skips_.back().channels, own.channels, /*given=*/false);
      if (own.cross_attention) Transformer(own, i);
      skips_.push_back({own.channels, height_, width_});
    }
    if (level + 1 == config_.down.size()) return;
    const bool pads = config_.downsample_padding == 0;
    const int64_t padded = pads ? shape_.batch * (height_ + 1) * (width_ + 1) * own.channels : 0;
    tally_.Take(padded);
    height_ = (height_ + (pads ? 0 : 1)) / 2;
    width_ = (width_ + (pads ? 0 : 1)) / 2;
    TallyConvolution(tally_, {.in = own.channels, .out = own.channels}, pixels());
    tally_.Give(padded);
    skips_.push_back({own.channels, height_, width_});
  }

  void Middle() {
    channels_ = config_.mid_level.channels;
    if (config_.mid == UnetMidType::kNone) {
      tally_.Take(channels_ * pixels());  // as if it were no skip, which the up path gives back
      return;
    }
    Resnet(skips_.back().channels, channels_, /*given=*/false);
    if (config_.mid != UnetMidType::kCrossAttention) return;
    Transformer(config_.mid_level, 0);
    Resnet(channels_, channels_, /*given=*/true);
  }

  void Up(size_t level) {
    const UnetLevel& own = config_.up[level];
    for (int64_t i = 0; i < own.layers + 1; ++i) {
      const Skip skip = skips_.back();
      const int64_t both = channels_ + skip.channels;
      tally_.Take(both * pixels());
      tally_.Give(both * pixels());  // the parts
      skips_.pop_back();
      Resnet(both, own.channels, /*given=*/true);
      channels_ = own.channels;
      if (own.cross_attention) Transformer(own, i);
    }
    if (level + 1 == config_.up.size()) return;
    const int64_t small = pixels();
    height_ = skips_.back().height;
    width_ = skips_.back().width;
    TallyUpsample(tally_, channels_, small, pixels());
  }

  Tally& tally_;
  const UnetConfig& config_;
  const UnetShape shape_;
  int64_t height_, width_;
  int64_t channels_ = 0;
  std::vector<Skip> skips_;
};

int64_t CrossAttentionValues(const UnetLevel& level) {
  int64_t values = 0;
  for (const int64_t layers : level.transformer_layers) {
    values += 2 * layers * level.channels * (level.only_cross_attention ? 2 : 1);
  }
  return level.cross_attention ? values : 0;
}

}  // namespace

void TallyUnet(Tally& tally, const UnetConfig& config, const UnetShape& shape) {
  Walk(tally, config, shape).Run();
}

int64_t UnetContextValues(const UnetConfig& config, const UnetShape& shape) {
  int64_t values = 0;
  for (const UnetLevel& level : config.down) values += CrossAttentionValues(level);
  for (const UnetLevel& level : config.up) values += CrossAttentionValues(level);
  if (config.mid == UnetMidType::kCrossAttention) {
    values += 2 * config.mid_level.channels * config.mid_level.transformer_layers[0];
  }
  return values * shape.batch * shape.tokens;
}

}  // namespace phasor::engine
