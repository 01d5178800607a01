#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "engine/models/golden.h"
#include "engine/models/vae/model.h"
#include "engine/models/vae/tiling.h"

namespace phasor::engine {
namespace {

std::unique_ptr<AutoencoderKl> Open(const GoldenCase& golden) {
  const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
  const VaeConfig config =
      ParseVaeConfig(ConfigReader::Open(folder + "/config.json").value()).value();
  WeightStore weights =
      WeightStore::Open(folder, WeightLayout::kDiffusers, AutoencoderKl::Options(DtypeUnderTest()))
          .value();
  auto model = AutoencoderKl::Create(config, weights).value();
  PlaceUnderTest(weights);
  return model;
}

TEST(VaeGoldenTest, EncodingSamplingAndDecodingAgreeWithDiffusers) {
  const c10::InferenceMode guard;
  for (const GoldenCase& golden : GoldenCases("vae")) {
    const std::unique_ptr<AutoencoderKl> model = Open(golden);
    const auto& tensors = golden.tensors;
    const at::Tensor moments = model->Encode(UnderTest(tensors.at("image")));
    ExpectClose(moments, tensors.at("moments"), golden.name + " moments");
    ExpectClose(LatentMode(moments), tensors.at("mean"), golden.name + " mode");
    const auto generator =
        at::make_generator<at::CPUGeneratorImpl>(golden.manifest["sample_seed"].get<uint64_t>());
    const at::Tensor noise = at::randn(tensors.at("sample").sizes(), generator, at::kFloat);
    ExpectClose(LatentSample(moments, UnderTest(noise)), tensors.at("sample"),
                golden.name + " sample");
    ExpectClose(model->Decode(UnderTest(tensors.at("latent"))), tensors.at("decoded"),
                golden.name + " decoded");
  }
}

TEST(VaeGoldenTest, TilesAgreeWithDiffusers) {
  const c10::InferenceMode guard;
  for (const GoldenCase& golden : GoldenCases("vae_tiled")) {
    const auto model = Open(golden);
    const at::Tensor latent = UnderTest(golden.tensors.at("latent"));
    for (const int tile : golden.manifest["tiles"]) {
      const int64_t scale = model->config().scale();
      const at::Tensor tiled =
          DecodeTiled({.tile = tile / scale, .scale = scale}, latent,
                      [&](const at::Tensor& part) { return model->Decode(part); });
      ExpectClose(tiled, golden.tensors.at("tiled_" + std::to_string(tile)), golden.name);
    }
  }
}

}  // namespace
}  // namespace phasor::engine
