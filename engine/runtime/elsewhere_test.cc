// The engine where nothing is on the CPU: LibTorch's device "meta" knows shapes and no values, so
// an operation on one of its tensors and one of the CPU's throws (but for concatenation), and so
// does everything for which a card would have to be waited for (a value or a copy for the host).
#include <cstdlib>
#include <initializer_list>
#include <tuple>

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>
#include <torch/library.h>

#include "engine/models/clip/model.h"
#include "engine/models/golden.h"
#include "engine/models/unet/model.h"
#include "engine/models/vae/model.h"
#include "engine/models/vae/tiling.h"
#include "engine/runtime/families.h"
#include "engine/runtime/image_sampler.h"
#include "engine/schedulers/golden_cases.h"
#include "engine/weights/quantise.h"

namespace phasor::engine {
namespace {

const at::Device kElsewhere = at::kMeta;

void CheckThere(std::initializer_list<at::Tensor> tensors) {
  for (const at::Tensor& tensor : tensors) {
    TORCH_CHECK(tensor.is_meta(), "a tensor on ", tensor.device(), " where a network computes");
  }
}

// LibTorch has the shapes of these in Python only.
at::Tensor Convolution(const at::Tensor& x, const at::Tensor& weight,
                       const std::optional<at::Tensor>& bias, at::IntArrayRef stride,
                       at::IntArrayRef padding, at::IntArrayRef dilation, bool transposed,
                       at::IntArrayRef /*output_padding*/, int64_t groups) {
  CheckThere({x, weight, bias.value()});
  TORCH_CHECK(x.scalar_type() == weight.scalar_type() && groups == 1 && !transposed);
  std::vector<int64_t> shape = {x.size(0), weight.size(0)};
  for (int axis : {0, 1}) {
    const int64_t kernel = dilation[axis] * (weight.size(axis + 2) - 1) + 1;
    shape.push_back((x.size(axis + 2) + 2 * padding[axis] - kernel) / stride[axis] + 1);
  }
  return at::empty(shape, x.options(), weight.suggest_memory_format());
}

at::Tensor IndexSelect(const at::Tensor& table, int64_t axis, const at::Tensor& index) {
  CheckThere({table, index});
  std::vector<int64_t> shape = table.sizes().vec();
  shape[static_cast<size_t>(axis)] = index.numel();
  return at::empty(shape, table.options());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> GroupNormalized(
    const at::Tensor& x, const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>& bias, int64_t batch, int64_t, int64_t, int64_t groups,
    double) {
  CheckThere({x, weight.value(), bias.value()});
  const at::Tensor moments = at::empty({batch, groups}, x.options());
  return {at::empty_like(x), moments, moments};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> LayerNormalized(
    const at::Tensor& x, at::IntArrayRef, const std::optional<at::Tensor>& weight,
    const std::optional<at::Tensor>& bias, double) {
  CheckThere({x, weight.value(), bias.value()});
  const at::Tensor moments = at::empty({x.numel() / x.size(-1), 1}, x.options());
  return {at::empty_like(x), moments, moments};
}

at::Tensor Attended(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const std::optional<at::Tensor>& mask, double, bool, std::optional<double>,
                    bool) {
  CheckThere({q, k, v});
  TORCH_CHECK(!mask && q.size(-1) == k.size(-1) && k.size(-2) == v.size(-2));
  return at::empty_like(q);
}

at::Tensor Where(const at::Tensor& condition, const at::Tensor& a, const at::Tensor& b) {
  CheckThere({condition, a, b});
  return at::empty_like(a);
}

TORCH_LIBRARY_IMPL(aten, Meta, m) {
  m.impl("scaled_dot_product_attention", Attended);
  m.impl("where.self", Where);
  m.impl("abs", [](const at::Tensor& x) { return at::empty_like(x); });
  m.impl("native_group_norm", GroupNormalized);
  m.impl("native_layer_norm", LayerNormalized);
  m.impl("convolution_overrideable", Convolution);
  m.impl("index_select", IndexSelect);
}

at::Tensor There(const at::Tensor& tensor) { return tensor.to(kElsewhere); }

void MoveThere(const WeightStore& store, at::MemoryFormat layout) {
  for (const auto& [part, weights] : store.sets()) {
    weights->SetHostMemory(HostMemory::kApart, kElsewhere);
    weights->SetLayout(layout);
  }
}

// What all others here rest on.
TEST(ElsewhereDeviceTest, AMixtureOrAValueForTheHostThrows) {
  const at::Tensor here = at::ones({2, 3});
  EXPECT_THROW(here * There(here), c10::Error);
  EXPECT_THROW(There(here).sum().item<float>(), c10::Error);
  EXPECT_THROW(There(here).cpu(), c10::Error);
  EXPECT_EQ((There(here) * at::scalar_tensor(2.0)).device(), kElsewhere)
      << "a single value goes with the kernel's arguments";
}

class ElsewhereTest : public testing::TestWithParam<std::tuple<at::ScalarType, at::MemoryFormat>> {
 protected:
  at::ScalarType dtype() const { return std::get<0>(GetParam()); }
  at::MemoryFormat layout() const { return std::get<1>(GetParam()); }
  at::Tensor Input(const at::Tensor& tensor) const { return There(tensor).to(dtype()); }

  void ExpectThere(const at::Tensor& tensor, const at::Tensor& like) const {
    EXPECT_EQ(tensor.device(), kElsewhere);
    EXPECT_EQ(tensor.sizes(), like.sizes());
    EXPECT_EQ(tensor.scalar_type(), dtype());
  }

  const c10::InferenceMode no_autograd_;
};

TEST_P(ElsewhereTest, TheTextEncoderTakesIdsOfTheHostAndNothingElseOfIt) {
  for (const GoldenCase& golden : GoldenCases("clip_text")) {
    SCOPED_TRACE(golden.name);
    const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
    const ClipConfig config = ParseClipConfig(folder + "/config.json", "CLIPTextModel").value();
    WeightStore store =
        WeightStore::Open(folder, WeightLayout::kTransformers, ClipTextModel::Options(dtype()))
            .value();
    const auto model = ClipTextModel::Create(config, store).value();
    MoveThere(store, layout());
    const at::Tensor& ids = golden.tensors.at("ids");
    const ClipOutput output = model->Forward(ids);
    ExpectThere(output.last_hidden_state, golden.tensors.at("last_hidden_state"));
    ExpectThere(output.pooled, golden.tensors.at("pooled"));
    ExpectThere(model->Encode(ids, 1), golden.tensors.at("clip_skip_1"));
  }
}

TEST_P(ElsewhereTest, EveryUnetTakesATimestepOfTheHostAndNothingElseOfIt) {
  for (const GoldenCase& golden : GoldenCases("unet")) {
    SCOPED_TRACE(golden.name);
    const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
    const UnetConfig config =
        ParseUnetConfig(ConfigReader::Open(folder + "/config.json").value()).value();
    WeightStore store =
        WeightStore::Open(folder, WeightLayout::kDiffusers, Unet::Options(dtype())).value();
    const auto model = Unet::Create(config, store).value();
    MoveThere(store, layout());
    const auto& tensors = golden.tensors;
    const UnetContext context = model->Prepare(Input(tensors.at("encoder_hidden_states")));
    ExpectThere(model->Forward(Input(tensors.at("sample")), tensors.at("timestep"), context),
                tensors.at("output"));
  }
}

TEST_P(ElsewhereTest, TheVaeTakesNothingOfTheHostInTilesEither) {
  for (const char* part : {"vae", "vae_tiled"}) {
    for (const GoldenCase& golden : GoldenCases(part)) {
      SCOPED_TRACE(golden.name);
      const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
      const VaeConfig config =
          ParseVaeConfig(ConfigReader::Open(folder + "/config.json").value()).value();
      WeightStore store =
          WeightStore::Open(folder, WeightLayout::kDiffusers, AutoencoderKl::Options(dtype()))
              .value();
      const auto model = AutoencoderKl::Create(config, store).value();
      MoveThere(store, layout());
      const at::Tensor latent = Input(golden.tensors.at("latent").slice(0, 0, 1));
      const at::Tensor whole = model->Decode(latent);
      EXPECT_EQ(whole.device(), kElsewhere);
      const auto decode = [&](const at::Tensor& tile) { return model->Decode(tile); };
      const int64_t scale = model->config().scale();
      ExpectThere(DecodeTiled({.tile = 8, .scale = scale}, latent, decode), whole);
      if (golden.tensors.contains("image")) {
        ExpectThere(model->Encode(Input(golden.tensors.at("image"))), golden.tensors.at("moments"));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(TypesAndOrders, ElsewhereTest,
                         testing::Combine(testing::Values(at::kFloat, at::kHalf, at::kBFloat16),
                                          testing::Values(at::MemoryFormat::ChannelsLast,
                                                          at::MemoryFormat::Contiguous)));

TEST(ElsewhereSchedulerTest, EveryScheduleKeepsItsTablesHereAndItsSamplesThere) {
  const c10::InferenceMode no_autograd;
  for (const std::string& name : ScheduleNames()) {
    SCOPED_TRACE(name);
    const GoldenSchedule golden = LoadSchedule(name);
    const std::unique_ptr<Scheduler> scheduler = MakeGolden(golden);
    const at::Tensor outputs = There(golden.tensors.at("model_outputs"));
    at::Tensor sample = There(golden.tensors.at("latents")[0]);
    const NoiseSource noise = [](at::IntArrayRef shape, at::ScalarType dtype) {
      return at::empty(shape, at::dtype(dtype).device(kElsewhere));
    };
    for (int64_t k = 0; k < outputs.size(0); ++k) {
      const int call = static_cast<int>(k);
      EXPECT_EQ(scheduler->ScaleInput(sample, call).device(), kElsewhere);
      sample = scheduler->Step(outputs[k], call, sample, noise);
      ASSERT_EQ(sample.device(), kElsewhere) << "call " << k;
      for (const auto& [entry, tensor] : scheduler->State().tensors) {
        EXPECT_EQ(tensor.device(), kElsewhere) << entry << " after call " << k;
      }
    }
  }
}

TEST(ElsewhereSchedulerTest, ThresholdsAreFoundThere) {
  const c10::InferenceMode no_autograd;
  const nlohmann::json config = {{"_class_name", "DDIMScheduler"}, {"thresholding", true}};
  const std::unique_ptr<Scheduler> scheduler = MakeScheduler(config, {}).value();
  ASSERT_TRUE(scheduler->SetTimesteps(4).ok());
  const at::Tensor sample = at::empty({2, 4, 8, 8}, at::dtype(at::kFloat).device(kElsewhere));
  EXPECT_EQ(scheduler->Step(sample, 0, sample, nullptr).device(), kElsewhere);
}

TEST(ElsewhereWeightsTest, ShortFormsAreUnpackedThere) {
  const c10::InferenceMode no_autograd;
  for (const WeightForm form : {WeightForm::kFp8, WeightForm::kNf4}) {
    const Quantised here = Quantise(form, at::ones({40, 30}));
    const Quantised there{form, There(here.codes), There(here.scales)};
    const at::Tensor value = DequantiseByOperators(there, {40, 30}, at::kHalf);
    EXPECT_EQ(value.device(), kElsewhere);
    EXPECT_EQ(value.sizes(), (at::IntArrayRef{40, 30}));
  }
}

// Encode, all steps and decoding of a whole model, for each scheduler: what a run does between
// the prompt and the picture's bytes.
TEST(ElsewhereRunTest, NothingBetweenThePromptAndThePictureWaitsForTheDevice) {
  const c10::InferenceMode no_autograd;
  PipelineSource source;
  source.directory = std::string(std::getenv("PHASOR_SOURCE_DIR")) + "/models/phasor-demo";
  source.card = config::ReadModelCard(source.directory).value();
  source.index =
      nlohmann::json::parse(ReadFile(source.directory + "/model_index.json", 1 << 20).value());
  source.dtype = at::kHalf;
  const std::unique_ptr<Pipeline> pipeline = LoadPipeline(source).value();
  for (const ModelPart& part : pipeline->parts()) {
    part.weights->SetHostMemory(HostMemory::kApart, kElsewhere);
    part.weights->Place(Placement::kStreamed);
  }
  for (const std::string& scheduler : pipeline->info().schedulers) {
    SCOPED_TRACE(scheduler);
    PictureSpec spec;
    spec.prompt = "a circle";
    spec.width = spec.height = 128;
    spec.guidance_scale = 4;
    spec.guidance_rescale = 0.5;
    spec.guidance_end = 0.8;
    spec.steps = 5;
    const auto conditioning = pipeline->Encode(spec);
    ImageSampler sampler = ImageSampler::Make({.scheduler_config = pipeline->scheduler_config(),
                                               .scheduler = {.name = scheduler},
                                               .steps = spec.steps,
                                               .latent_shape = pipeline->LatentShape(spec),
                                               .place = kElsewhere},
                                              1)
                               .value();
    const int calls = static_cast<int>(sampler.scheduler().timesteps().size());
    for (int k = 0; k < calls; ++k) {
      sampler.Step(k, [&](const at::Tensor& input, double timestep) {
        return pipeline->Denoise(spec, input, {timestep, k, calls, k == 1}, *conditioning);
      });
    }
    EXPECT_EQ(sampler.latents().device(), kElsewhere);
    for (const int tile : {0, 64}) {
      const at::Tensor picture = pipeline->Decode(sampler.latents(), tile);
      EXPECT_EQ(picture.device(), kElsewhere);
      EXPECT_EQ(picture.sizes(), (at::IntArrayRef{1, 3, 128, 128}));
    }
  }
}

}  // namespace
}  // namespace phasor::engine
