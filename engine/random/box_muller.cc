#include "engine/random/box_muller.h"

#include <bit>
#include <cmath>

// std::fma is one instruction in the first form and a call of libm in the other; the bits are those
// of one rounding in both.
#if defined(__x86_64__)
#define PHASOR_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define PHASOR_CLONES
#endif
#define PHASOR_INLINE inline __attribute__((always_inline))

namespace phasor::engine {
namespace {

// ln(x) for a normal x > 0. Multiplications and additions are fused where GCC fuses the original's.
PHASOR_INLINE float Log(float x) {
  constexpr float kCoefficients[] = {-1.1514610310E-1f, 1.1676998740E-1f,  -1.2420140846E-1f,
                                     1.4249322787E-1f,  -1.6668057665E-1f, 2.0000714765E-1f,
                                     -2.4999993993E-1f, 3.3333331174E-1f};
  constexpr uint32_t kFraction = 0x807FFFFF, kHalf = 0x3F000000;
  const auto bits = std::bit_cast<uint32_t>(x);
  float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 0x7F) + 1.0f;
  x = std::bit_cast<float>((bits & kFraction) | kHalf);  // [1/2, 1)
  const bool low = x < 0.707106781186547524f;
  const float again = low ? x : 0.0f;
  x -= 1.0f;
  if (low) e -= 1.0f;
  x += again;
  const float z = x * x;
  float y = 7.0376836292E-2f;
  for (const float coefficient : kCoefficients) y = std::fma(y, x, coefficient);
  y = std::fma(y * x, z, e * -2.12194440e-4f);
  y = y - z * 0.5f;
  return std::fma(e, 0.693359375f, x + y);
}

struct SinCos {
  float sin = 0, cos = 0;
};

// Of x >= 0, by octants.
PHASOR_INLINE SinCos SinCosOf(float x) {
  const uint32_t octant = (static_cast<uint32_t>(x * 1.27323954473516f) + 1) & ~1u;
  const auto y = static_cast<float>(octant);
  x = std::fma(y, -0.78515625f, x);
  x = std::fma(y, -2.4187564849853515625e-4f, x);
  x = std::fma(y, -3.77489497744594108e-8f, x);
  const float z = x * x;
  float even = std::fma(2.443315711809948E-005f, z, -1.388731625493765E-003f);
  even = std::fma(even, z, 4.166664568298827E-002f);
  even = std::fma(even * z, z, -(z * 0.5f)) + 1.0f;
  float odd = std::fma(-1.9515295891E-4f, z, 8.3321608736E-3f);
  odd = std::fma(odd, z, -1.6666654611E-1f);
  odd = std::fma(odd * z, x, x);
  const bool straight = (octant & 2) == 0;
  const bool sin_negative = (octant & 4) != 0;
  const bool cos_negative = ((octant - 2) & 4) == 0;
  const float sin = straight ? odd : even;
  const float cos = straight ? even : odd;
  return {sin_negative ? -sin : sin, cos_negative ? -cos : cos};
}

}  // namespace

PHASOR_CLONES void BoxMuller(float* data) {
  constexpr auto kTwoPi = static_cast<float>(2 * M_PI);
  for (int64_t j = 0; j < kNormalGroup / 2; ++j) {
    const float u1 = 1.0f - data[j];  // (0, 1]
    const float radius = std::sqrt(-2.0f * Log(u1));
    const SinCos angle = SinCosOf(kTwoPi * data[j + kNormalGroup / 2]);
    data[j] = radius * angle.cos + 0.0f;  // never -0, as where a mean is added
    data[j + kNormalGroup / 2] = radius * angle.sin + 0.0f;
  }
}

}  // namespace phasor::engine
