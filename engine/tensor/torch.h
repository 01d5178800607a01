// The one door to LibTorch's headers: precompiled once for all of engine/. Nothing outside
// engine/ includes it. Operators come from per-operator headers (AT_PER_OPERATOR_HEADERS);
// torch/torch.h is never included, it costs half a minute a file.
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
