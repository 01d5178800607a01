#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "engine/layers/activation.h"
#include "engine/layers/conv2d.h"
#include "engine/layers/resnet.h"
#include "engine/layers/timestep.h"
#include "engine/weights/temporary_directory.h"
#include "engine/weights/tensor_file.h"

namespace phasor::engine {
namespace {

double Difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item().toDouble();
}

// A store with normal noise for the named tensors.
WeightStore Store(const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes) {
  at::manual_seed(7);
  std::vector<NamedTensor> tensors;
  for (const auto& [name, shape] : shapes) {
    const at::Tensor values = at::randn(shape);
    const float* data = values.const_data_ptr<float>();
    tensors.push_back({name, shape, std::vector<float>(data, data + values.numel())});
  }
  const TemporaryDirectory folder;
  const std::string path = folder.path() + "/w.safetensors";
  EXPECT_TRUE(WriteSafetensors(path, tensors).ok());
  return WeightStore(*OpenWeightFile(path), "test", {});
}

TEST(ActivationTest, QuickGeluAndGeluDiffer) {
  const at::Tensor x = at::full({1}, 2.0f);
  EXPECT_GT(Difference(Activate(Activation::kQuickGelu, x), Activate(Activation::kGelu, x)), 0.01);
  EXPECT_LT(Difference(Activate(Activation::kGeluNew, x), Activate(Activation::kGeluTanh, x)),
            1e-6);
}

TEST(ActivationTest, NamesAreThoseOfEachLibrary) {
  EXPECT_EQ(ParseDiffusersActivation("SiLU"), Activation::kSilu);
  EXPECT_EQ(ParseDiffusersActivation("swish"), Activation::kSilu);
  EXPECT_EQ(ParseDiffusersActivation("quick_gelu"), std::nullopt);
  EXPECT_EQ(ParseTransformersActivation("quick_gelu"), Activation::kQuickGelu);
  EXPECT_EQ(ParseTransformersActivation("Gelu"), std::nullopt);
}

TEST(Conv2dTest, PackedWeightsServeOtherShapesAndBatchesToo) {
  const c10::InferenceMode guard;
  const struct {
    Conv2dOptions options;
  } cases[] = {
      {{.in = 5, .out = 7}},
      {{.in = 16, .out = 32}},
      {{.in = 16, .out = 16, .stride = 2}},
      {{.in = 16, .out = 8, .kernel = 1, .padding = 0}},
      {{.in = 8, .out = 8, .kernel = 3, .stride = 2, .padding = 0}},
  };
  for (const auto& [options] : cases) {
    WeightStore store =
        Store({{"weight", {options.out, options.in, options.kernel, options.kernel}},
               {"bias", {options.out}}});
    const at::Tensor weight =
        store.Get("weight", {options.out, options.in, options.kernel, options.kernel})->clone();
    const at::Tensor bias = *store.Get("bias", {options.out});
    const Conv2d conv(WeightScope(store), options);
    for (const std::vector<int64_t>& size :
         {std::vector<int64_t>{1, 8, 8}, {2, 9, 13}, {1, 33, 5}}) {
      const at::Tensor x = at::randn({size[0], options.in, size[1], size[2]});
      const at::Tensor expected = at::conv2d(x, weight, bias, options.stride, options.padding);
      const double scale = expected.abs().max().item().toDouble();
      EXPECT_LT(Difference(conv.Forward(x), expected), 1e-5 * scale);
      const at::Tensor sum = at::randn_like(expected);
      EXPECT_LT(Difference(conv.ForwardPlus(x, sum), expected + sum), 1e-5 * scale);
      const at::Tensor shift = at::randn({options.out});
      EXPECT_LT(Difference(conv.ForwardShifted(x, shift), expected + shift.view({1, -1, 1, 1})),
                1e-5 * scale);
    }
  }
}

// Maps of one pixel or one row come up in the middle of a UNet for small pictures, from views of
// every kind: their strides say little about their order.
TEST(Conv2dTest, TakesTheSmallestMapsFromEveryKindOfView) {
  const c10::InferenceMode guard;
  const auto views = [](const at::Tensor& x) {
    const at::Tensor flat = x.flatten(2).transpose(1, 2).contiguous();  // [B, HW, C]
    return std::vector<at::Tensor>{x, x.contiguous(at::MemoryFormat::ChannelsLast),
                                   flat.transpose(1, 2).unflatten(2, x.sizes().slice(2)),
                                   at::cat({x, x}, 1).slice(1, 0, x.size(1)),
                                   x.transpose(0, 1).contiguous().transpose(0, 1)};
  };
  for (const int64_t stride : {1, 2}) {
    for (const int64_t kernel : {1, 3}) {
      const Conv2dOptions options{
          .in = 16, .out = 16, .kernel = kernel, .stride = stride, .padding = kernel / 2};
      WeightStore store =
          Store({{"weight", {options.out, options.in, kernel, kernel}}, {"bias", {options.out}}});
      const at::Tensor weight =
          store.Get("weight", {options.out, options.in, kernel, kernel})->clone();
      const at::Tensor bias = *store.Get("bias", {options.out});
      const Conv2d conv(WeightScope(store), options);
      for (const std::vector<int64_t>& size :
           {std::vector<int64_t>{2, 1, 1}, {1, 1, 1}, {1, 1, 2}, {2, 2, 1}, {2, 1, 7}, {1, 2, 2}}) {
        const at::Tensor x = at::randn({size[0], options.in, size[1], size[2]});
        const at::Tensor expected = at::conv2d(x, weight, bias, stride, options.padding);
        const at::Tensor sum = at::randn_like(expected);
        const double tolerance = 1e-5 * (1 + expected.abs().max().item().toDouble());
        for (const at::Tensor& x_view : views(x)) {
          EXPECT_LT(Difference(conv.Forward(x_view), expected), tolerance) << x.sizes();
          for (const at::Tensor& sum_view : views(sum)) {
            EXPECT_LT(Difference(conv.ForwardPlus(x_view, sum_view), expected + sum), tolerance)
                << x.sizes() << x_view.strides() << sum_view.strides();
          }
        }
      }
    }
  }
}

TEST(ResnetTest, OneTimestepForTheBatchEqualsOnePerImage) {
  const c10::InferenceMode guard;
  for (const bool scale_shift : {false, true}) {
    WeightStore store = Store({{"norm1.weight", {4}},
                               {"norm1.bias", {4}},
                               {"conv1.weight", {6, 4, 3, 3}},
                               {"conv1.bias", {6}},
                               {"time_emb_proj.weight", {scale_shift ? 12 : 6, 8}},
                               {"time_emb_proj.bias", {scale_shift ? 12 : 6}},
                               {"norm2.weight", {6}},
                               {"norm2.bias", {6}},
                               {"conv2.weight", {6, 6, 3, 3}},
                               {"conv2.bias", {6}},
                               {"conv_shortcut.weight", {6, 4, 1, 1}},
                               {"conv_shortcut.bias", {6}}});
    const ResnetBlock block(
        WeightScope(store),
        {.in = 4, .out = 6, .temb = 8, .groups = 2, .scale_shift = scale_shift, .output_scale = 2});
    ASSERT_TRUE(store.Finish().ok()) << store.Finish();
    const at::Tensor x = at::randn({2, 4, 5, 7});
    const at::Tensor temb = at::randn({1, 8});
    const at::Tensor shared = block.Forward(x, temb);
    EXPECT_LT(Difference(shared, block.Forward(x, temb.expand({2, 8}))),
              1e-5 * shared.abs().max().item().toDouble());
  }
}

TEST(SinusoidTest, OrderShiftAndOddWidthFollowTheReference) {
  const at::Tensor t = at::full({1}, 981.25);
  const at::Tensor flipped = Sinusoid(t, {.width = 6});
  const at::Tensor plain = Sinusoid(t, {.width = 6, .flip_sin_to_cos = false});
  EXPECT_TRUE(at::equal(flipped.narrow(1, 0, 3), plain.narrow(1, 3, 3)));
  EXPECT_NEAR(flipped[0][0].item().toDouble(), std::cos(981.25), 1e-5) << "the first is a cosine";
  const at::Tensor shifted = Sinusoid(t, {.width = 6, .freq_shift = 1});
  EXPECT_NEAR(shifted[0][2].item().toDouble(), std::cos(981.25 / 10000), 1e-6);
  const at::Tensor odd = Sinusoid(t, {.width = 7});
  EXPECT_EQ(odd.size(1), 7);
  EXPECT_EQ(odd[0][6].item().toDouble(), 0);
}

}  // namespace
}  // namespace phasor::engine
