#include "engine/layers/tally.h"

#include "engine/weights/packed_values.h"

namespace phasor::engine {
namespace {

constexpr int64_t kConvolutionScratch = 4096;  // bytes, for each thread, and once more

void TurnTo(Tally& tally, const Conv2dOptions& options) {
  const int64_t plain = options.in * options.out * options.kernel * options.kernel;
  if (tally.dtype() == at::kHalf) {
    tally.Turn(plain + options.out);
    return;
  }
  const int64_t packed =
      PackedValues({options.out, options.in, options.kernel, options.kernel}, tally.dtype());
  tally.TurnPacked(plain, packed, options.out);
}

// LibTorch packs weights in half precision at every call, by way of an order of its own, takes the
// result in another one, too, and as much of the input as a thread's buffer has room for, with a
// border. Measured where the processor multiplies in it (AVX512-FP16, AMX).
void NeedHalf(Tally& tally, const Conv2dOptions& options, int64_t pixels) {
  if (tally.dtype() != at::kHalf) return;
  const int64_t weights = options.in * options.out * options.kernel * options.kernel;
  constexpr int64_t kBuffer = 32 << 10;  // values
  const int64_t buffer = std::min(2 * options.in * pixels, tally.threads() * kBuffer);
  tally.Need(2 * weights + options.out * pixels + buffer);
}

// aten/src/ATen/native/cpu/FlashAttentionKernel.cpp: one buffer a thread, and the logarithms of the
// sums, all in fp32.
int64_t FlashScratchBytes(const Tally& tally, const AttentionShape& shape) {
  const int64_t split = shape.queries >= 768 ? 256 : shape.queries >= 192 ? 64 : 32;
  const int64_t queries = std::min(split, shape.queries);
  const int64_t keys = std::min<int64_t>(512, shape.keys);
  const int64_t width = shape.channels / shape.heads;
  const int64_t values =
      tally.threads() * queries * (keys + 2 + width) + shape.batch * shape.queries * shape.heads;
  return values * static_cast<int64_t>(sizeof(float));
}

// aten/src/ATen/native/transformers/attention.cpp, _scaled_dot_product_attention_math: in fp32, the
// scores before and after the softmax, with a byte for each that says whether it is masked; queries
// and keys scaled, and once more in the order that a product takes.
int64_t PlainScratchBytes(const AttentionShape& shape) {
  const int64_t scores = shape.batch * shape.heads * shape.queries * shape.keys;
  const int64_t rows = shape.batch * (shape.queries + shape.keys) * shape.channels;
  return (2 * scores + 2 * rows) * static_cast<int64_t>(sizeof(float)) + scores;
}

int64_t AttentionScratchBytes(const Tally& tally, const AttentionShape& shape) {
  if (tally.kernels().plain_attention) return PlainScratchBytes(shape);
  return FlashScratchBytes(tally, shape);
}

}  // namespace

void Tally::Turn(int64_t weights) {
  layer_ = weights;
  Note(live_, layer_);
}

void Tally::TurnPacked(int64_t plain, int64_t packed, int64_t others) {
  layer_ = others + packed;
  // The plain form goes once the packed one is made.
  Note(live_ + plain, layer_);
}

PassPeak Tally::Peak() const {
  return {.resident = static_cast<uint64_t>(resident_ * value_bytes_),
          .streamed = static_cast<uint64_t>(streamed_ * value_bytes_)};
}

void TallyConvolution(Tally& tally, const Conv2dOptions& options, int64_t pixels) {
  TurnTo(tally, options);
  tally.Take(options.out * pixels);
  NeedHalf(tally, options, pixels);
  tally.NeedBytes((tally.threads() + 1) * kConvolutionScratch);
}

void TallyConvolutionPlus(Tally& tally, const Conv2dOptions& options, int64_t pixels) {
  TurnTo(tally, options);
  tally.Take(options.out * pixels);
  NeedHalf(tally, options, pixels);
  // The sum as oneDNN wants it; what it computes with comes later.
  tally.Need(options.out * pixels);
  tally.NeedBytes((tally.threads() + 1) * kConvolutionScratch);
}

void TallyLinear(Tally& tally, int64_t in, int64_t out, int64_t rows, bool bias) {
  tally.Turn(in * out + (bias ? out : 0));
  tally.Take(out * rows);
  if (tally.dtype() == at::kHalf) tally.Need(in * out);
}

void TallyNorm(Tally& tally, int64_t channels, int64_t pixels) {
  tally.Turn(2 * channels);
  tally.Take(channels * pixels);
}

void TallyActivatedNorm(Tally& tally, int64_t channels, int64_t pixels) {
  TallyNorm(tally, channels, pixels);
  // Only in fp32 the two are one pass.
  if (tally.dtype() != at::kFloat) tally.Need(channels * pixels);
}

void TallyConsumingNorm(Tally& tally, int64_t channels, int64_t pixels) {
  if (tally.dtype() == at::kFloat) {
    tally.Turn(2 * channels);
    return;
  }
  TallyActivatedNorm(tally, channels, pixels);
  tally.Give(channels * pixels);
}

void TallyResnet(Tally& tally, const ResnetOptions& options, int64_t pixels, bool given) {
  const int64_t in = options.in * pixels, out = options.out * pixels;
  const Conv2dOptions shortcut = {.in = options.in, .out = options.out, .kernel = 1};
  const bool has_shortcut = options.in != options.out;
  if (options.temb > 0) {
    const int64_t width = options.scale_shift ? 2 * options.out : options.out;
    TallyLinear(tally, options.temb, width, 1);
    tally.Give(width);
  }
  if (has_shortcut && given) {
    TallyConvolution(tally, shortcut, pixels);
    TallyConsumingNorm(tally, options.in, pixels);
  } else {
    TallyActivatedNorm(tally, options.in, pixels);
  }
  TallyConvolution(tally, {.in = options.in, .out = options.out}, pixels);
  tally.Give(in);  // the norm
  if (options.scale_shift) {
    TallyNorm(tally, options.out, pixels);
    tally.Need(2 * out);
    tally.Give(out);
  } else {
    TallyConsumingNorm(tally, options.out, pixels);
  }
  if (has_shortcut && !given) TallyConvolution(tally, shortcut, pixels);
  TallyConvolutionPlus(tally, {.in = options.out, .out = options.out}, pixels);
  tally.Give(out);  // what went into it
  if (has_shortcut) tally.Give(out);
  if (given && !has_shortcut) tally.Give(in);
}

void TallyUpsample(Tally& tally, int64_t channels, int64_t small, int64_t pixels) {
  tally.Take(channels * pixels);
  tally.Give(channels * small);
  TallyConvolution(tally, {.in = channels, .out = channels}, pixels);
  tally.Give(channels * pixels);
}

void TallyAttention(Tally& tally, const AttentionShape& shape, bool bias) {
  const int64_t rows = shape.batch * shape.queries;
  const int64_t values = rows * shape.channels;
  TallyLinear(tally, shape.channels, shape.channels, rows, bias);
  tally.Take(values);
  tally.NeedBytes(AttentionScratchBytes(tally, shape));
  TallyLinear(tally, shape.channels, shape.channels, rows);
  tally.Give(2 * values);
}

void TallySelfAttention(Tally& tally, const AttentionShape& shape, bool bias) {
  const int64_t rows = shape.batch * shape.queries;
  TallyLinear(tally, shape.channels, shape.channels, rows, bias);
  TallyLinear(tally, shape.channels, shape.channels, rows, bias);
  TallyAttention(tally, shape, bias);
  tally.Give(2 * rows * shape.channels);
}

}  // namespace phasor::engine
