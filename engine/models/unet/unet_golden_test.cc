#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "engine/models/golden.h"
#include "engine/models/unet/model.h"

namespace phasor::engine {
namespace {

std::unique_ptr<Unet> Load(const std::string& folder) {
  const auto reader = ConfigReader::Open(folder + "/config.json");
  EXPECT_TRUE(reader.ok()) << reader.status();
  const auto config = ParseUnetConfig(*reader);
  EXPECT_TRUE(config.ok()) << config.status();
  EXPECT_TRUE(config->unknown_keys.empty()) << config->unknown_keys[0];
  auto weights =
      WeightStore::Open(folder, WeightLayout::kDiffusers, Unet::Options(DtypeUnderTest()));
  EXPECT_TRUE(weights.ok()) << weights.status();
  auto model = Unet::Create(*config, *weights);
  EXPECT_TRUE(model.ok()) << model.status();
  PlaceUnderTest(*weights);
  return *std::move(model);
}

TEST(UnetGoldenTest, OneStepAgreesWithDiffusers) {
  const c10::InferenceMode guard;
  for (const GoldenCase& golden : GoldenCases("unet")) {
    const auto model = Load(GoldenDirectory() + golden.manifest["model"].get<std::string>());
    const UnetContext context =
        model->Prepare(UnderTest(golden.tensors.at("encoder_hidden_states")));
    const at::Tensor output = model->Forward(UnderTest(golden.tensors.at("sample")),
                                             golden.tensors.at("timestep"), context);
    ExpectClose(output, golden.tensors.at("output"), golden.name);
    const at::Tensor again = model->Forward(UnderTest(golden.tensors.at("sample")),
                                            golden.tensors.at("timestep"), context);
    EXPECT_TRUE(at::equal(output, again)) << golden.name << ": equal inputs, other bits";
  }
}

}  // namespace
}  // namespace phasor::engine
