#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "engine/models/clip/model.h"
#include "engine/models/golden.h"

namespace phasor::engine {
namespace {

TEST(ClipGoldenTest, EveryHiddenStateAndClipSkipAgreeWithTransformers) {
  const c10::InferenceMode guard;
  for (const GoldenCase& golden : GoldenCases("clip_text")) {
    const std::string folder = GoldenDirectory() + golden.manifest["model"].get<std::string>();
    const auto config = ParseClipConfig(folder + "/config.json", "CLIPTextModel");
    ASSERT_TRUE(config.ok()) << config.status();
    auto weights = WeightStore::Open(folder, WeightLayout::kTransformers,
                                     ClipTextModel::Options(DtypeUnderTest()));
    ASSERT_TRUE(weights.ok()) << weights.status();
    const auto model = ClipTextModel::Create(*config, *weights);
    ASSERT_TRUE(model.ok()) << model.status();
    PlaceUnderTest(*weights);

    const at::Tensor& ids = golden.tensors.at("ids");
    const ClipOutput output = (*model)->Forward(ids);
    for (size_t i = 0; i < output.hidden_states.size(); ++i) {
      const std::string name = "hidden_states." + std::to_string(i);
      ExpectClose(output.hidden_states[i], golden.tensors.at(name), golden.name + " " + name);
    }
    ExpectClose(output.last_hidden_state, golden.tensors.at("last_hidden_state"),
                golden.name + " last_hidden_state");
    ExpectClose(output.pooled, golden.tensors.at("pooled"), golden.name + " pooled");
    const char* names[] = {"last_hidden_state", "clip_skip_1", "clip_skip_2"};
    for (int skip = 0; skip <= 2; ++skip) {
      ExpectClose((*model)->Encode(ids, skip), golden.tensors.at(names[skip]),
                  golden.name + " encode skip " + std::to_string(skip));
    }
  }
}

}  // namespace
}  // namespace phasor::engine
