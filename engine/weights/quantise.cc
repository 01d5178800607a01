#include "engine/weights/quantise.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <c10/util/Float8_e4m3fn.h>

#include "engine/tensor/beside.h"

namespace phasor::engine {
namespace {

constexpr float kMostFp8 = 448;
constexpr int64_t kBlocksAPiece = 256;  // of work, for one thread

constexpr std::array<float, 16> kNf4 = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

// Halfway between neighbours: what lies on one belongs to the lower code.
constexpr std::array<float, 15> kNf4Bounds = {
    -0.8480964004993439f,  -0.6106329262256622f,  -0.4599952697753906f,   -0.33967943489551544f,
    -0.23460740596055984f, -0.13791173323988914f, -0.045525018125772476f, 0.03979014977812767f,
    0.1202552504837513f,   0.2035212516784668f,   0.2920137718319893f,    0.3893125355243683f,
    0.5016634166240692f,   0.6427869200706482f,   0.8614784181118011f,
};

const std::array<float, 256>& Fp8Values() {
  static const std::array<float, 256> values = [] {
    std::array<float, 256> table = {};
    for (size_t code = 0; code < table.size(); ++code) {
      table[code] = c10::Float8_e4m3fn(static_cast<uint8_t>(code), c10::Float8_e4m3fn::from_bits());
    }
    return table;
  }();
  return values;
}

uint8_t Nf4Code(float value) {
  const auto* const above = std::lower_bound(kNf4Bounds.begin(), kNf4Bounds.end(), value);
  return static_cast<uint8_t>(above - kNf4Bounds.begin());
}

float GreatestMagnitude(const float* values, int64_t count) {
  float most = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) throw std::invalid_argument("holds a value that is not finite");
    most = std::max(most, std::fabs(values[i]));
  }
  return most;
}

// One block; its scale is returned.
float ToFp8(const float* values, int64_t count, uint8_t* codes) {
  const float most = GreatestMagnitude(values, count);
  const float scale = most > 0 ? most / kMostFp8 : 1;
  for (int64_t i = 0; i < count; ++i) {
    // The quotient of the greatest can be a bit more than what it was divided for.
    codes[i] = c10::Float8_e4m3fn(std::clamp(values[i] / scale, -kMostFp8, kMostFp8)).x;
  }
  return scale;
}

float ToNf4(const float* values, int64_t count, uint8_t* codes) {
  const float most = GreatestMagnitude(values, count);
  const float inverse = 1.0f / std::max(most, 1e-38f);
  const auto code = [&](int64_t i) -> uint8_t {
    if (i >= count) return Nf4Code(0);
    return Nf4Code(std::clamp(values[i] * inverse, -1.0f, 1.0f));
  };
  for (int64_t i = 0; i < count; i += 2) {
    codes[i / 2] = static_cast<uint8_t>(code(i) << 4 | code(i + 1));
  }
  return most;
}

template <typename Value>
void FromFp8(const uint8_t* codes, float scale, int64_t count, Value* values) {
  const std::array<float, 256>& table = Fp8Values();
  for (int64_t i = 0; i < count; ++i) values[i] = static_cast<Value>(table[codes[i]] * scale);
}

template <typename Value>
void FromNf4(const uint8_t* codes, float scale, int64_t count, Value* values) {
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t both = codes[i / 2];
    values[i] = static_cast<Value>(kNf4[i % 2 == 0 ? both >> 4 : both & 15] * scale);
  }
}

// Calls `work(block, first value, values)` for every block.
template <typename Work>
void ForBlocks(int64_t values, const Work& work) {
  at::parallel_for(0, QuantisedScales(values), kBlocksAPiece, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kQuantisedBlock;
      work(block, first, std::min(kQuantisedBlock, values - first));
    }
  });
}

template <typename Value>
void Fill(const Quantised& quantised, const at::Tensor& out) {
  const uint8_t* codes = quantised.codes.const_data_ptr<uint8_t>();
  const float* scales = quantised.scales.const_data_ptr<float>();
  Value* values = out.mutable_data_ptr<Value>();
  const bool fp8 = quantised.form == WeightForm::kFp8;
  ForBlocks(out.numel(), [&](int64_t block, int64_t first, int64_t count) {
    if (fp8) {
      FromFp8(codes + first, scales[block], count, values + first);
    } else {
      FromNf4(codes + first / 2, scales[block], count, values + first);
    }
  });
}

}  // namespace

int64_t QuantisedCodes(WeightForm form, int64_t values) {
  return form == WeightForm::kNf4 ? (values + 1) / 2 : values;
}

int64_t QuantisedScales(int64_t values) { return (values + kQuantisedBlock - 1) / kQuantisedBlock; }

Quantised Quantise(WeightForm form, const at::Tensor& weight) {
  const at::Tensor plain = weight.to(at::kFloat).contiguous();
  const int64_t count = plain.numel();
  Quantised quantised{form, at::empty({QuantisedCodes(form, count)}, at::kByte),
                      at::empty({QuantisedScales(count)}, at::kFloat)};
  const float* values = plain.const_data_ptr<float>();
  uint8_t* codes = quantised.codes.mutable_data_ptr<uint8_t>();
  float* scales = quantised.scales.mutable_data_ptr<float>();
  ForBlocks(count, [&](int64_t block, int64_t first, int64_t length) {
    scales[block] = form == WeightForm::kFp8 ? ToFp8(values + first, length, codes + first)
                                             : ToNf4(values + first, length, codes + first / 2);
  });
  return quantised;
}

at::Tensor DequantiseByOperators(const Quantised& quantised, at::IntArrayRef shape,
                                 at::ScalarType dtype) {
  const at::Tensor& codes = quantised.codes;
  const int64_t count = c10::multiply_integers(shape);
  at::Tensor values;
  if (quantised.form == WeightForm::kFp8) {
    values = codes.view(at::kFloat8_e4m3fn).to(at::kFloat);
  } else {
    const at::Tensor book = Beside(at::tensor(at::ArrayRef<float>(kNf4)), codes.device());
    const at::Tensor pairs = at::stack({codes.bitwise_right_shift(4), codes.bitwise_and(15)}, 1);
    values = book.index_select(0, pairs.flatten().to(at::kInt)).narrow(0, 0, count);
  }
  const at::Tensor scales = quantised.scales.repeat_interleave(kQuantisedBlock).narrow(0, 0, count);
  return values.mul_(scales).view(shape).to(dtype);
}

at::Tensor Dequantise(const Quantised& quantised, at::IntArrayRef shape, at::ScalarType dtype) {
  if (!quantised.codes.is_cpu()) return DequantiseByOperators(quantised, shape, dtype);
  at::Tensor out = at::empty(shape, dtype);
  switch (dtype) {
    case at::kFloat:
      Fill<float>(quantised, out);
      return out;
    case at::kBFloat16:
      Fill<c10::BFloat16>(quantised, out);
      return out;
    case at::kHalf:
      Fill<c10::Half>(quantised, out);
      return out;
    default:
      TORCH_CHECK(false, "weights are not computed with in ", dtype);
  }
}

}  // namespace phasor::engine
