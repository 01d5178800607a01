// Weights in fewer bits. A tensor is flattened row by row and cut into blocks of 64 values, of
// which each has a scale of its own in fp32; the last may be shorter.
//
// FP8: e4m3fn codes; scale = greatest magnitude / 448, value = code * scale.
// NF4: two codes to a byte, the first in its upper half; scale = greatest magnitude, value = the
// code book's entry * scale. Bit for bit what bitsandbytes stores (functional.py, quantize_4bit).
//
// Computed in fp32 whatever the tensor's type, the same on every processor. Thread-safe (no state);
// they parallelise over LibTorch's threads and throw what it throws.
#pragma once

#include <cstdint>

#include "engine/api/memory_use.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

inline constexpr int64_t kQuantisedBlock = 64;  // values

struct Quantised {
  WeightForm form = WeightForm::kPlain;
  at::Tensor codes;   // uint8 [QuantisedCodes]
  at::Tensor scales;  // fp32 [blocks]
  bool defined() const { return codes.defined(); }
  uint64_t bytes() const { return defined() ? codes.nbytes() + scales.nbytes() : 0; }
};

// How many bytes of codes, and how many scales, `values` of them have.
int64_t QuantisedCodes(WeightForm form, int64_t values);
int64_t QuantisedScales(int64_t values);

// `weight`: contiguous on the CPU, fp32, fp16 or bf16. A value that is no finite number is an
// std::invalid_argument.
Quantised Quantise(WeightForm form, const at::Tensor& weight);

// A new tensor of this shape and type, contiguous, where the codes are.
at::Tensor Dequantise(const Quantised& quantised, at::IntArrayRef shape, at::ScalarType dtype);

// The same by LibTorch's operators alone, which any device has; what Dequantise does elsewhere than
// on the CPU.
at::Tensor DequantiseByOperators(const Quantised& quantised, at::IntArrayRef shape,
                                 at::ScalarType dtype);

}  // namespace phasor::engine
