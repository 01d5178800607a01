#include "engine/memory/residency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ATen/ops/full.h>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kKiB = 1024;

// A model of two layers a part: 1 + 1 KiB of text encoder, 4 + 4 of denoiser, 2 + 2 of decoder, and
// 8 + 8 of an encoder that no phase needs.
class ResidencyTest : public testing::Test {
 protected:
  ModelPart Part(const std::string& name, std::vector<UnitKind> phases, uint64_t bytes) {
    ModelPart part{name, std::move(phases), std::make_shared<WeightSet>(name)};
    for (const char* layer : {"a.weight", "b.weight"}) {
      at::Tensor host = at::full({static_cast<int64_t>(bytes / sizeof(float))}, 1.0f);
      handles_[name].push_back(part.weights->Add(layer, std::move(host), at::kFloat, false));
    }
    return part;
  }

  void Make(Strategy strategy) {
    std::vector<ModelPart> parts;
    parts.push_back(Part("text_encoder", {UnitKind::kEncode}, kKiB));
    parts.push_back(Part("unet", {UnitKind::kStep}, 4 * kKiB));
    parts.push_back(Part("vae.decoder", {UnitKind::kDecode}, 2 * kKiB));
    parts.push_back(Part("vae.encoder", {}, 8 * kKiB));
    before_ = device_->Memory().current.of(MemoryKind::kWeights);
    residency_ = std::make_unique<Residency>(std::move(parts), strategy, device_);
  }

  // KiB of weights on the device.
  uint64_t Held() const {
    return (device_->Memory().current.of(MemoryKind::kWeights) - before_) / kKiB;
  }
  uint64_t HeldIn(UnitKind phase) {
    residency_->Enter(phase);
    return Held();
  }
  void Compute(const std::string& part) {
    for (const Weight& weight : handles_[part]) EXPECT_GT(weight->sum().item<float>(), 0);
  }

  const c10::InferenceMode no_autograd_;
  const std::shared_ptr<Device> device_ = MakeDevice("sim", 0).value();
  std::map<std::string, std::vector<Weight>> handles_;
  std::unique_ptr<Residency> residency_;
  uint64_t before_ = 0;
};

TEST_F(ResidencyTest, FullHoldsAllThatAnyPhaseNeedsFromTheStart) {
  Make(Strategy::kFull);
  for (const UnitKind phase : {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode}) {
    EXPECT_EQ(HeldIn(phase), 2u + 8u + 4u);
  }
}

TEST_F(ResidencyTest, OffloadHoldsWhatThePhaseNeeds) {
  Make(Strategy::kCpuOffload);
  EXPECT_EQ(HeldIn(UnitKind::kEncode), 2u);
  device_->ResetPeak();
  EXPECT_EQ(HeldIn(UnitKind::kStep), 8u);
  EXPECT_EQ((device_->Memory().peak.of(MemoryKind::kWeights) - before_) / kKiB, 8u)
      << "the text encoder left before the denoiser came";
  EXPECT_EQ(HeldIn(UnitKind::kDecode), 4u);
  EXPECT_EQ(HeldIn(UnitKind::kEncode), 2u);
  EXPECT_THROW(Compute("unet"), c10::Error);
}

TEST_F(ResidencyTest, SequentialHoldsOneLayer) {
  Make(Strategy::kSequentialOffload);
  device_->ResetPeak();
  EXPECT_EQ(HeldIn(UnitKind::kEncode), 0u);
  Compute("text_encoder");
  EXPECT_EQ(Held(), 1u);
  EXPECT_EQ(HeldIn(UnitKind::kStep), 0u);
  Compute("unet");
  Compute("unet");
  EXPECT_EQ(Held(), 4u);
  EXPECT_EQ((device_->Memory().peak.of(MemoryKind::kWeights) - before_) / kKiB, 4u);
  EXPECT_EQ(HeldIn(UnitKind::kDecode), 0u);
}

TEST_F(ResidencyTest, APhaseThatDoesNotFitMayBeEnteredAgain) {
  Make(Strategy::kCpuOffload);
  residency_->Enter(UnitKind::kEncode);
  CountedMemory& memory = CountedMemory::Get();
  memory.SetCapacity(device_->Memory().current.total() + 3 * kKiB);
  EXPECT_THROW(residency_->Enter(UnitKind::kStep), c10::OutOfMemoryError);
  memory.SetCapacity(0);
  EXPECT_EQ(HeldIn(UnitKind::kStep), 8u);
  Compute("unet");
}

TEST(StrategyTest, NamesAreTheApis) {
  for (const Strategy strategy :
       {Strategy::kFull, Strategy::kCpuOffload, Strategy::kSequentialOffload}) {
    EXPECT_EQ(*ParseStrategy(std::string(ToString(strategy))), strategy);
  }
  EXPECT_THAT(Message(ParseStrategy("FASTEST").status()),
              HasSubstr("must be one of FP16_FULL, CPU_OFFLOAD, SEQUENTIAL_OFFLOAD, got FASTEST"));
}

}  // namespace
}  // namespace phasor::engine
