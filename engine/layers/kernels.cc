#include "engine/layers/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>

#if defined(__x86_64__)
#define PHASOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PHASOR_CLONES
#endif

namespace phasor::engine {
namespace {

// Rows of a piece: enough work for a task, few enough that fp32 sums stay exact to an ulp or two.
int64_t RowsPerPiece(int64_t channels) { return std::clamp<int64_t>(32768 / channels, 16, 256); }

// e^x with a relative error of 2e-7 (Cephes expf): Cody-Waite reduction and a polynomial.
// Branch-free, so that loops around it vectorise.
inline __attribute__((always_inline)) float Exp(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float shifted = x * 1.44269504088896341f + kRound;
  const float n = shifted - kRound;
  const float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound) + 127;
  return p * std::bit_cast<float>(exponent << 23);
}

PHASOR_CLONES void SumRows(const float* x, int64_t rows, int64_t channels, float* __restrict sum,
                           float* __restrict square) {
  for (int64_t row = 0; row < rows; ++row, x += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      sum[c] += x[c];
      square[c] += x[c] * x[c];
    }
  }
}

PHASOR_CLONES void ScaleRows(const float* x, float* y, int64_t rows, int64_t channels,
                             const float* scale, const float* shift) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) y[c] = x[c] * scale[c] + shift[c];
  }
}

PHASOR_CLONES void ScaleRowsSilu(const float* x, float* y, int64_t rows, int64_t channels,
                                 const float* scale, const float* shift) {
  for (int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
      const float v = x[c] * scale[c] + shift[c];
      y[c] = v / (1.0f + Exp(-v));
    }
  }
}

// The norm as one multiplication and addition per channel, from the pieces' sums of one image.
// `sums` holds, per piece, the channels' sums and then their squares' sums.
void FoldStatistics(const float* sums, int64_t pieces, const GroupNormShape& shape,
                    const float* weight, const float* bias, double eps, float* scale,
                    float* shift) {
  const int64_t width = shape.channels / shape.groups;
  for (int64_t group = 0; group < shape.groups; ++group) {
    double sum = 0;
    double square = 0;
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const float* of_piece = sums + piece * 2 * shape.channels + group * width;
      for (int64_t c = 0; c < width; ++c) {
        sum += of_piece[c];
        square += of_piece[shape.channels + c];
      }
    }
    const double count = static_cast<double>(width * shape.pixels);
    const double mean = sum / count;
    const double variance = std::max(square / count - mean * mean, 0.0);
    const double inverse = 1.0 / std::sqrt(variance + eps);
    for (int64_t c = group * width; c < (group + 1) * width; ++c) {
      scale[c] = static_cast<float>(weight[c] * inverse);
      shift[c] = static_cast<float>(bias[c] - mean * weight[c] * inverse);
    }
  }
}

}  // namespace

void GroupNormNhwc(const float* x, float* y, const GroupNormShape& shape, const float* weight,
                   const float* bias, double eps, bool silu) {
  const int64_t channels = shape.channels;
  const int64_t rows = RowsPerPiece(channels);
  const int64_t pieces = (shape.pixels + rows - 1) / rows;
  const auto for_pieces = [&](auto&& work) {
    at::parallel_for(0, shape.batch * pieces, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t image = task / pieces;
        const int64_t first = task % pieces * rows;
        work(task, image, (image * shape.pixels + first) * channels,
             std::min(rows, shape.pixels - first));
      }
    });
  };

  std::vector<float> sums(static_cast<size_t>(shape.batch * pieces * 2 * channels), 0.0f);
  for_pieces([&](int64_t task, int64_t, int64_t offset, int64_t count) {
    float* sum = sums.data() + task * 2 * channels;
    SumRows(x + offset, count, channels, sum, sum + channels);
  });
  std::vector<float> factors(static_cast<size_t>(shape.batch * 2 * channels));
  for (int64_t image = 0; image < shape.batch; ++image) {
    float* scale = factors.data() + image * 2 * channels;
    FoldStatistics(sums.data() + image * pieces * 2 * channels, pieces, shape, weight, bias, eps,
                   scale, scale + channels);
  }
  for_pieces([&](int64_t, int64_t image, int64_t offset, int64_t count) {
    const float* scale = factors.data() + image * 2 * channels;
    (silu ? ScaleRowsSilu : ScaleRows)(x + offset, y + offset, count, channels, scale,
                                       scale + channels);
  });
}

}  // namespace phasor::engine
