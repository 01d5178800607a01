// Elementary functions of fp32 values whose bits are the same on every x86-64 processor: each value
// is worked out alone, in double precision, and rounded once. LibTorch's own go through MKL's
// vector functions, which are off by a unit in the last place now and then, on which values depends
// on vendor and instruction set.
//
// For tables and factors of a few values; slow for pictures. fp32 tensors on the CPU of any shape;
// the result is contiguous. Pure, thread-safe.
#pragma once

#include "engine/tensor/torch.h"

namespace phasor::engine::rounded {

at::Tensor Sqrt(const at::Tensor& x);
at::Tensor Exp(const at::Tensor& x);
at::Tensor Log(const at::Tensor& x);
at::Tensor Sin(const at::Tensor& x);
at::Tensor Cos(const at::Tensor& x);

// at::linspace of fp32 as LibTorch computes it where the processor multiplies and adds at once.
at::Tensor Linspace(double start, double end, int64_t count);

}  // namespace phasor::engine::rounded
