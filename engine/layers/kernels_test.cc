#include "engine/layers/kernels.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "engine/tensor/torch.h"

namespace phasor::engine {
namespace {

at::Tensor Norm(const at::Tensor& x, int64_t groups, const at::Tensor& weight,
                const at::Tensor& bias, bool silu) {
  const at::Tensor input = x.contiguous(at::MemoryFormat::ChannelsLast);
  at::Tensor out = at::empty_like(input);
  GroupNormNhwc(input.const_data_ptr<float>(), out.data_ptr<float>(),
                {.batch = x.size(0),
                 .pixels = x.size(2) * x.size(3),
                 .channels = x.size(1),
                 .groups = groups},
                weight.const_data_ptr<float>(), bias.const_data_ptr<float>(), 1e-5, silu);
  return out;
}

double Difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item().toDouble();
}

TEST(KernelsTest, GroupNormAgreesWithLibTorchForOddShapes) {
  const struct {
    std::vector<int64_t> shape;
    int64_t groups;
  } cases[] = {
      {{1, 2, 1, 1}, 1},     {{2, 6, 3, 5}, 3},     {{1, 17, 40, 41}, 17},
      {{3, 48, 16, 16}, 16}, {{1, 2560, 2, 3}, 32},
  };
  for (const auto& item : cases) {
    at::manual_seed(7);
    const at::Tensor x = 3 * at::randn(item.shape) + 5;
    const at::Tensor weight = at::randn({item.shape[1]});
    const at::Tensor bias = at::randn({item.shape[1]});
    const at::Tensor norm = at::group_norm(x, item.groups, weight, bias, 1e-5);
    EXPECT_LT(Difference(Norm(x, item.groups, weight, bias, false), norm), 2e-5) << x.sizes();
    EXPECT_LT(Difference(Norm(x, item.groups, weight, bias, true), at::silu(norm)), 2e-5)
        << x.sizes();
  }
}

TEST(KernelsTest, SiluHoldsAtTheEndsOfTheRange) {
  // A group of one value and its negative normalises to -1 and 1, times the weight.
  const at::Tensor x = at::tensor({-1.0f, 1.0f}).reshape({1, 1, 1, 2});
  for (const float scale : {1e-3f, 1.0f, 20.0f, 87.0f, 100.0f, 1e10f, 3e38f}) {
    const at::Tensor weight = at::full({1}, scale);
    const at::Tensor bias = at::zeros({1});
    const at::Tensor expected = at::silu(at::group_norm(x, 1, weight, bias, 1e-5));
    const at::Tensor actual = Norm(x, 1, weight, bias, true);
    EXPECT_LE(Difference(actual, expected), 1e-6 * scale) << scale;
  }
}

TEST(KernelsTest, NotANumberStaysVisible) {
  at::Tensor x = at::zeros({1, 2, 1, 2});
  x.fill_(std::nanf(""));
  EXPECT_TRUE(at::isnan(Norm(x, 1, at::ones({2}), at::zeros({2}), true)).all().item().toBool());
}

TEST(KernelsTest, TheNumberOfThreadsDoesNotChangeABit) {
  at::manual_seed(7);
  const at::Tensor x = at::randn({2, 96, 33, 35});
  const at::Tensor weight = at::randn({96});
  const at::Tensor bias = at::randn({96});
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = Norm(x, 32, weight, bias, true);
  at::set_num_threads(2);
  const at::Tensor two = Norm(x, 32, weight, bias, true);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one, two));
}

}  // namespace
}  // namespace phasor::engine
