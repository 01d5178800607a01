// The noise of one image: its own CPU generator, drawn as diffusers' randn_tensor draws with a list
// of generators, so that an image depends on its own seed alone, whatever else is in the batch and
// whatever device computes.
//
// One thread. State() is the generator's whole state (Mersenne twister and cached second value of
// the normal transform), so a stream restored from it goes on with the same bytes.
#pragma once

#include <cstdint>
#include <span>

#include "common/base/status.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

class NoiseStream {
 public:
  explicit NoiseStream(uint64_t seed);
  // Movable only: a copied generator would share its state.
  NoiseStream(NoiseStream&&) = default;
  NoiseStream& operator=(NoiseStream&&) = default;

  // Standard normal noise on the CPU, as torch.randn(shape, generator=..., dtype=dtype) gives it
  // with AVX2; fp32 has these bits on every processor. Half precision is not rounded single
  // precision.
  at::Tensor Draw(at::IntArrayRef shape, at::ScalarType dtype);

  // A copy of the state: one byte tensor, about 5 kB.
  at::Tensor State() const;
  // INVALID_ARGUMENT if this is not a state of such a generator; the stream is unchanged then.
  Status SetState(const at::Tensor& state);

 private:
  at::Generator generator_;
};

// Noise of shape [B, ...], row i from streams[i]. Throws c10::Error unless there are B streams.
at::Tensor DrawRows(std::span<NoiseStream> streams, at::IntArrayRef shape, at::ScalarType dtype);

}  // namespace phasor::engine
