#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "engine/models/golden.h"
#include "engine/models/vae/model.h"

namespace phasor::engine {
namespace {

TEST(VaeGoldenTest, EncodingSamplingAndDecodingAgreeWithDiffusers) {
  const c10::InferenceMode guard;
  for (const GoldenCase& golden : GoldenCases("vae")) {
    const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
    const auto reader = ConfigReader::Open(folder + "/config.json");
    ASSERT_TRUE(reader.ok()) << reader.status();
    const auto config = ParseVaeConfig(*reader);
    ASSERT_TRUE(config.ok()) << config.status();
    auto weights =
        WeightStore::Open(folder, WeightLayout::kDiffusers, AutoencoderKl::Options(at::kFloat));
    ASSERT_TRUE(weights.ok()) << weights.status();
    const auto model = AutoencoderKl::Create(*config, *weights);
    ASSERT_TRUE(model.ok()) << model.status();

    const auto& tensors = golden.tensors;
    const at::Tensor moments = (*model)->Encode(tensors.at("image"));
    ExpectClose(moments, tensors.at("moments"), golden.name + " moments");
    ExpectClose(LatentMode(moments), tensors.at("mean"), golden.name + " mode");
    const auto generator =
        at::make_generator<at::CPUGeneratorImpl>(golden.manifest["sample_seed"].get<uint64_t>());
    const at::Tensor noise = at::randn(tensors.at("sample").sizes(), generator, at::kFloat);
    ExpectClose(LatentSample(moments, noise), tensors.at("sample"), golden.name + " sample");
    ExpectClose((*model)->Decode(tensors.at("latent")), tensors.at("decoded"),
                golden.name + " decoded");
  }
}

}  // namespace
}  // namespace phasor::engine
