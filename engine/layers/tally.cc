#include "engine/layers/tally.h"

namespace phasor::engine {
namespace {

constexpr int64_t kConvolutionScratch = 4096;  // bytes, for each thread, and once more

void TurnTo(Tally& tally, const Conv2dOptions& options) {
  const int64_t plain = options.in * options.out * options.kernel * options.kernel;
  if (tally.dtype() == at::kHalf) {  // LibTorch packs it at every call
    tally.Turn(plain + options.out);
    tally.Need(plain);
    return;
  }
  const int64_t packed =
      PackedValues({options.out, options.in, options.kernel, options.kernel}, tally.dtype());
  tally.TurnPacked(plain, packed, options.out);
}

// aten/src/ATen/native/cpu/FlashAttentionKernel.cpp: one buffer a thread, and the logarithms of the
// sums, all in fp32.
int64_t AttentionScratchBytes(const Tally& tally, const AttentionShape& shape) {
  const int64_t split = shape.queries >= 768 ? 256 : shape.queries >= 192 ? 64 : 32;
  const int64_t queries = std::min(split, shape.queries);
  const int64_t keys = std::min<int64_t>(512, shape.keys);
  const int64_t width = shape.channels / shape.heads;
  const int64_t values =
      tally.threads() * queries * (keys + 2 + width) + shape.batch * shape.queries * shape.heads;
  return values * static_cast<int64_t>(sizeof(float));
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
  tally.NeedBytes((tally.threads() + 1) * kConvolutionScratch);
}

void TallyConvolutionPlus(Tally& tally, const Conv2dOptions& options, int64_t pixels) {
  TurnTo(tally, options);
  tally.Take(options.out * pixels);
  // The sum as oneDNN wants it; what it computes with comes later.
  tally.Need(options.out * pixels);
  tally.NeedBytes((tally.threads() + 1) * kConvolutionScratch);
}

void TallyLinear(Tally& tally, int64_t in, int64_t out, int64_t rows, bool bias) {
  tally.Turn(in * out + (bias ? out : 0));
  tally.Take(out * rows);
}

void TallyNorm(Tally& tally, int64_t channels, int64_t pixels) {
  tally.Turn(2 * channels);
  tally.Take(channels * pixels);
}

void TallyResnet(Tally& tally, const ResnetOptions& options, int64_t pixels) {
  const int64_t in = options.in * pixels, out = options.out * pixels;
  if (options.temb > 0) {
    const int64_t width = options.scale_shift ? 2 * options.out : options.out;
    TallyLinear(tally, options.temb, width, 1);
    tally.Give(width);
  }
  TallyNorm(tally, options.in, pixels);
  TallyConvolution(tally, {.in = options.in, .out = options.out}, pixels);
  tally.Give(in);
  TallyNorm(tally, options.out, pixels);
  if (options.scale_shift) tally.Need(2 * out);
  tally.Give(out);
  if (options.in != options.out) {
    TallyConvolution(tally, {.in = options.in, .out = options.out, .kernel = 1}, pixels);
  }
  TallyConvolutionPlus(tally, {.in = options.out, .out = options.out}, pixels);
  tally.Give(out);
  if (options.in != options.out) tally.Give(out);
}

void TallyUpsample(Tally& tally, int64_t channels, int64_t pixels) {
  tally.Take(channels * pixels);
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
