#include "engine/runtime/fingerprint.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace phasor::engine {
namespace {

struct Inputs {
  EngineFacts facts{"cpu", "fp32", 2, "LibTorch 2.11.0", "ATen AVX2"};
  ModelInfo model;
  nlohmann::json scheduler = {{"beta_start", 0.0001}};
  PictureSpec spec;
  std::string initial_noise = {};
  CutsTaken cuts = {};

  std::string Value() const {
    return Fingerprint(facts, model, scheduler, spec, initial_noise, cuts);
  }
};

TEST(FingerprintTest, ChangesWithEverythingThatDecidesABit) {
  const std::function<void(Inputs*)> changes[] = {
      [](Inputs*) {},
      [](Inputs* in) { in->facts.device.push_back('c'); },
      [](Inputs* in) { in->facts.dtype.push_back('b'); },
      [](Inputs* in) { in->facts.threads = 3; },
      [](Inputs* in) { in->facts.versions.push_back('L'); },
      [](Inputs* in) { in->facts.processor.push_back('2'); },
      [](Inputs* in) { in->facts.compute.push_back('t'); },
      [](Inputs* in) { in->model.family.push_back('s'); },
      [](Inputs* in) { in->model.digest.push_back('0'); },
      [](Inputs* in) { in->scheduler["beta_start"] = 0.0002; },
      [](Inputs* in) { in->spec.prompt.push_back('c'); },
      [](Inputs* in) { in->spec.negative_prompt.push_back('c'); },
      [](Inputs* in) { in->spec.width = 128; },
      [](Inputs* in) { in->spec.height = 128; },
      [](Inputs* in) { in->spec.steps = 21; },
      [](Inputs* in) { in->spec.guidance_scale = 7.5000000000000009; },
      [](Inputs* in) { in->spec.guidance_rescale = 0.1; },
      [](Inputs* in) { in->spec.eta = 0.1; },
      [](Inputs* in) { in->spec.clip_skip = 1; },
      [](Inputs* in) { in->spec.images = 2; },
      [](Inputs* in) { in->spec.seed = 1; },
      [](Inputs* in) { in->spec.prompt.push_back('\xFF'); },
      [](Inputs* in) { in->initial_noise.push_back('0'); },
      [](Inputs* in) { in->cuts.split_guidance_from = 0; },
      [](Inputs* in) { in->cuts.split_guidance_from = 1; },
      [](Inputs* in) { in->cuts.vae_tiles = {256}; },
      [](Inputs* in) {
        in->cuts.vae_tiles = {0, 256};
      },
  };
  std::set<std::string> seen;
  for (const auto& change : changes) {
    Inputs inputs;
    change(&inputs);
    EXPECT_TRUE(seen.insert(inputs.Value()).second) << "change " << seen.size();
    EXPECT_EQ(inputs.Value().size(), 64u);
  }
}

TEST(FingerprintTest, WhatWasDecodedWholeIsNotCut) {
  Inputs inputs;
  const std::string whole = inputs.Value();
  inputs.cuts.vae_tiles = {0, 0};
  EXPECT_EQ(inputs.Value(), whole);
}

}  // namespace
}  // namespace phasor::engine
