// What a network's pass keeps in memory at a time, added up layer by layer without computing: a
// Tally is led through the same order as the Forward methods, with sizes in place of tensors.
// Rules for scratch memory are those of LibTorch 2.11 and oneDNN on the CPU in fp32, measured.
//
// Counted are activations and what packing a convolution's weights needs on the way; once with all
// weights resident (which are then counted apart, by who holds them), and once with the weights of
// the layer whose turn it is, as they are when a network is streamed.
//
// A change of order in a layer's Forward belongs here, too: engine/runtime/plan_test.cc compares
// the sums with what is allocated. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/api/memory_use.h"
#include "engine/layers/resnet.h"

namespace phasor::engine {

class Tally {
 public:
  // `dtype`: of activations, and of weights as they compute.
  explicit Tally(const PassKernels& kernels, at::ScalarType dtype = at::kFloat)
      : kernels_(kernels),
        dtype_(dtype),
        value_bytes_(static_cast<int64_t>(c10::elementSize(dtype))) {}

  // Values that come to life and go.
  void Take(int64_t values) { Note(live_ += values, layer_); }
  void Give(int64_t values) { live_ -= values; }
  void TakeBytes(int64_t bytes) { Take(bytes / value_bytes_); }
  // For a moment.
  void Need(int64_t values) { Note(live_ + values, layer_); }
  void NeedBytes(int64_t bytes) { Need(bytes / value_bytes_); }
  // A layer with this many weights computes from now on.
  void Turn(int64_t weights);
  // As above; `packed` of the weights are packed first.
  void TurnPacked(int64_t plain, int64_t packed, int64_t others);

  const PassKernels& kernels() const { return kernels_; }
  int threads() const { return kernels_.threads; }
  at::ScalarType dtype() const { return dtype_; }
  PassPeak Peak() const;

 private:
  void Note(int64_t live, int64_t layer) {
    resident_ = std::max(resident_, live);
    streamed_ = std::max(streamed_, live + layer);
  }

  const PassKernels kernels_;
  const at::ScalarType dtype_;
  const int64_t value_bytes_;
  int64_t live_ = 0;
  int64_t layer_ = 0;  // weights of the layer whose turn it is
  int64_t resident_ = 0;
  int64_t streamed_ = 0;
};

// The layers. Each takes its result, which the caller gives back; an input is the caller's.
// `pixels` and `rows` count the whole batch.
void TallyConvolution(Tally& tally, const Conv2dOptions& options, int64_t pixels);
// With a sum added in the same pass.
void TallyConvolutionPlus(Tally& tally, const Conv2dOptions& options, int64_t pixels);
void TallyLinear(Tally& tally, int64_t in, int64_t out, int64_t rows, bool bias = true);
void TallyNorm(Tally& tally, int64_t channels, int64_t pixels);  // group or layer
// A group norm and its activation.
void TallyActivatedNorm(Tally& tally, int64_t channels, int64_t pixels);
// The same of an input that is given away: takes nothing where it works in place, else gives the
// input back.
void TallyConsumingNorm(Tally& tally, int64_t channels, int64_t pixels);
// `given`: the input was moved in and is given back, too.
void TallyResnet(Tally& tally, const ResnetOptions& options, int64_t pixels, bool given);
// From `small` pixels to the nearest of `pixels`, then a convolution. Gives the input back.
void TallyUpsample(Tally& tally, int64_t channels, int64_t small, int64_t pixels);

struct AttentionShape {
  int64_t batch = 1;
  int64_t queries = 0;  // of one of the batch
  int64_t keys = 0;
  int64_t channels = 0;
  int64_t heads = 1;
};
// Query, attention and output; the keys and values are the caller's.
void TallyAttention(Tally& tally, const AttentionShape& shape, bool bias);
// To itself: keys and values, too.
void TallySelfAttention(Tally& tally, const AttentionShape& shape, bool bias);

}  // namespace phasor::engine
