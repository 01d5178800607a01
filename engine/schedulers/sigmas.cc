#include "engine/schedulers/sigmas.h"

#include <algorithm>
#include <cmath>

#include <ATen/TensorOperators.h>

#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

constexpr double kRho = 7.0;
constexpr double kBetaShape = 0.6;

at::Tensor SigmaOf(const at::Tensor& alphas_cumprod) {
  return rounded::Sqrt((1 - alphas_cumprod) / alphas_cumprod);
}

std::vector<float> ToVector(const at::Tensor& tensor) {
  const at::Tensor contiguous = tensor.contiguous();
  const float* data = contiguous.const_data_ptr<float>();
  return {data, data + contiguous.numel()};
}

// numpy's fp32 logarithm (its AVX2 and AVX-512 kernel, one lane): a rational approximation that is
// off by up to 4 units in the last place. The reference takes its table of logarithms from it, and
// fractional timesteps follow that table to the last bit.
float NumpyLog(float x) {
  constexpr float kNumerator[] = {0.0f,
                                  9.999999999999998702752e-01f,
                                  2.112677543073053063722e+00f,
                                  1.480000633576506585156e+00f,
                                  3.808837741388407920751e-01f,
                                  2.589979117907922693523e-02f};
  constexpr float kDenominator[] = {1.0f,
                                    2.612677543073109236779e+00f,
                                    2.453006071784736363091e+00f,
                                    9.864942958519418960339e-01f,
                                    1.546476374983906719538e-01f,
                                    5.875095403124574342950e-03f};
  int exponent = 0;
  float mantissa = std::frexp(x, &exponent);
  if (mantissa <= static_cast<float>(M_SQRT1_2)) {
    mantissa += mantissa;
    --exponent;
  }
  mantissa -= 1.0f;
  const auto polynomial = [mantissa](const float(&c)[6]) {
    float value = c[5];
    for (int i = 4; i >= 0; --i) value = std::fma(value, mantissa, c[i]);
    return value;
  };
  const float ratio = polynomial(kNumerator) / polynomial(kDenominator);
  return std::fma(static_cast<float>(exponent), static_cast<float>(M_LN2), ratio);
}

// Continued fraction of the incomplete beta function, by Lentz's method (DLMF 8.17.22).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto bounded = [](double v) { return std::fabs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / bounded(1 - (a + b) * x / (a + 1));
  double value = d;
  for (int m = 1; m < 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / bounded(1 + even * d);
    c = bounded(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / bounded(1 + odd * d);
    c = bounded(1 + odd / c);
    value *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return value;
}

// The regularised incomplete beta function for x <= 1/2 and equal parameters.
double BetaLower(double a, double x) {
  const double log_beta = 2 * std::lgamma(a) - std::lgamma(2 * a);
  return std::exp(a * (std::log(x) + std::log1p(-x)) - log_beta) * BetaFraction(a, a, x) / a;
}

}  // namespace

SigmaTable::SigmaTable(const at::Tensor& alphas_cumprod) {
  sigmas_ = ToVector(SigmaOf(alphas_cumprod));
  for (float sigma : sigmas_) log_sigmas_.push_back(NumpyLog(sigma));
}

double SigmaTable::Interpolate(double timestep) const {
  const double top = static_cast<double>(sigmas_.size() - 1);
  if (timestep >= top) return sigmas_.back();
  if (timestep <= 0) return sigmas_.front();
  const auto low = static_cast<size_t>(timestep);
  const double slope = static_cast<double>(sigmas_[low + 1]) - static_cast<double>(sigmas_[low]);
  return slope * (timestep - static_cast<double>(low)) + static_cast<double>(sigmas_[low]);
}

double SigmaTable::Timestep(double sigma) const {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  size_t low = 0;
  for (size_t i = 0; i < log_sigmas_.size(); ++i) {
    if (log_sigma >= log_sigmas_[i]) low = i;
  }
  low = std::min(low, log_sigmas_.size() - 2);
  // The difference of two table entries is rounded to fp32, the numerator is not.
  const float gap = log_sigmas_[low] - log_sigmas_[low + 1];
  const double weight = std::clamp((log_sigmas_[low] - log_sigma) / gap, 0.0, 1.0);
  const double index = static_cast<double>(low);
  return (1 - weight) * index + weight * (index + 1);
}

SigmaConfig ReadSigmaConfig(SchedulerKeys& keys) {
  SigmaConfig config;
  int count = 0;
  const auto read = [&](const std::string& key, Respacing respacing) {
    if (!keys.Flag(key, false)) return;
    config.respacing = respacing;
    if (++count > 1) {
      keys.Refuse(key,
                  "can't be combined with another of use_karras_sigmas, "
                  "use_exponential_sigmas and use_beta_sigmas");
    }
  };
  read("use_karras_sigmas", Respacing::kKarras);
  read("use_exponential_sigmas", Respacing::kExponential);
  read("use_beta_sigmas", Respacing::kBeta);
  config.sigma_min = keys.OptionalNumber("sigma_min", {1e-6, 1e6});
  config.sigma_max = keys.OptionalNumber("sigma_max", {1e-6, 1e6});
  if (config.sigma_min && config.sigma_max && *config.sigma_min >= *config.sigma_max) {
    keys.Refuse("sigma_min", "must be below sigma_max");
  }
  config.final_zero = keys.Choice("final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
  return config;
}

std::vector<double> Respaced(const SigmaConfig& config, double first, double last, int steps) {
  const double high = config.sigma_max.value_or(first);
  const double low = config.sigma_min.value_or(last);
  if (config.respacing == Respacing::kExponential) {
    std::vector<double> sigmas = Linspace(std::log(high), std::log(low), steps);
    for (double& sigma : sigmas) sigma = std::exp(sigma);
    return sigmas;
  }
  std::vector<double> sigmas = Linspace(0, 1, steps);
  if (config.respacing == Respacing::kKarras) {
    const double from = std::pow(high, 1 / kRho);
    const double to = std::pow(low, 1 / kRho);
    for (double& sigma : sigmas) sigma = std::pow(from + sigma * (to - from), kRho);
  } else {
    for (double& sigma : sigmas) sigma = low + BetaQuantile(1 - sigma) * (high - low);
  }
  return sigmas;
}

std::vector<double> LuSigmas(const SigmaTable& table, int steps) {
  const double from = table.log_sigmas().back();
  const double to = table.log_sigmas().front();
  std::vector<double> sigmas = Linspace(0, 1, steps);
  for (double& sigma : sigmas) sigma = std::exp(from + sigma * (to - from));
  return sigmas;
}

double BetaQuantile(double probability) {
  if (probability <= 0) return 0;
  if (probability >= 1) return 1;
  if (probability > 0.5) return 1 - BetaQuantile(1 - probability);
  double low = 0;
  double high = 0.5;
  // Bisection to the last bit: called once per step of a schedule, so speed does not matter.
  for (;;) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    (BetaLower(kBetaShape, middle) < probability ? low : high) = middle;
  }
}

at::Tensor FinishedSigmas(const std::vector<double>& sigmas, const at::Tensor& alphas_cumprod,
                          bool final_zero) {
  std::vector<float> finished(sigmas.begin(), sigmas.end());
  finished.push_back(final_zero ? 0.0f : SigmaOf(alphas_cumprod[0]).item<float>());
  return at::tensor(finished);
}

}  // namespace phasor::engine
