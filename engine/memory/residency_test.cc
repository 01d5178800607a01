#include "engine/memory/residency.h"

#include <gtest/gtest.h>

#include <ATen/ops/full.h>

#include "engine/device/counted_memory.h"

namespace phasor::engine {
namespace {

constexpr uint64_t kKiB = 1024;

// A model of two layers a part: 1 + 1 KiB of text encoder, 4 + 4 of denoiser, 2 + 2 of decoder, and
// 8 + 8 of an encoder that no phase needs.
class ResidencyTest : public testing::Test {
 protected:
  ModelPart Part(const std::string& name, std::vector<UnitKind> phases, uint64_t bytes) {
    ModelPart part{name, std::move(phases), std::make_shared<WeightSet>(name)};
    for (const char* layer : {"a.weight", "b.weight"}) {
      at::Tensor host = at::full({static_cast<int64_t>(bytes / sizeof(float))}, 1.0f);
      handles_[name].push_back(part.weights->Add(layer, std::move(host), at::kFloat));
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
    residency_ = std::make_unique<Residency>(std::move(parts), device_, clock_);
    strategy_ = strategy;
  }

  // KiB of weights on the device.
  uint64_t Held() const {
    return (device_->Memory().current.of(MemoryKind::kWeights) - before_) / kKiB;
  }
  bool Enter(Strategy strategy, UnitKind phase) {
    return residency_->Enter(PlanResidency(strategy, residency_->Sizes(WeightForm::kPlain),
                                           {{phase, {}}}, residency_->Budget()),
                             phase);
  }
  uint64_t HeldIn(UnitKind phase) {
    Enter(strategy_, phase);
    return Held();
  }
  void Compute(const std::string& part) {
    for (const Weight& weight : handles_[part]) EXPECT_GT(weight->sum().item<float>(), 0);
  }

  const c10::InferenceMode no_autograd_;
  const std::shared_ptr<Device> device_ = MakeDevice("sim", 0).value();
  std::map<std::string, std::vector<Weight>> handles_;
  SystemClock clock_;
  std::unique_ptr<Residency> residency_;
  Strategy strategy_ = Strategy::kFull;
  uint64_t before_ = 0;
};

TEST_F(ResidencyTest, SaysWhetherAnythingMoved) {
  Make(Strategy::kCpuOffload);
  EXPECT_TRUE(Enter(Strategy::kCpuOffload, UnitKind::kEncode));
  EXPECT_FALSE(Enter(Strategy::kCpuOffload, UnitKind::kEncode)) << "another run's";
  EXPECT_TRUE(Enter(Strategy::kCpuOffload, UnitKind::kStep));
  EXPECT_TRUE(Enter(Strategy::kFull, UnitKind::kStep)) << "the others come";
  EXPECT_FALSE(Enter(Strategy::kFull, UnitKind::kDecode));
  EXPECT_TRUE(Enter(Strategy::kSequentialOffload, UnitKind::kDecode));
}

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
  Enter(strategy_, UnitKind::kEncode);
  CountedMemory& memory = CountedMemory::Get();
  memory.SetCapacity(device_->Memory().current.total() + 3 * kKiB);
  EXPECT_THROW(Enter(strategy_, UnitKind::kStep), c10::OutOfMemoryError);
  memory.SetCapacity(0);
  EXPECT_EQ(HeldIn(UnitKind::kStep), 8u);
  Compute("unet");
}

// A device with room that no large block finds.
class InPieces final : public Device {
 public:
  InPieces(std::shared_ptr<Device> device, uint64_t fragmented)
      : device_(std::move(device)), fragmented_(fragmented) {}
  std::string_view name() const override { return device_->name(); }
  at::Device place() const override { return device_->place(); }
  HostMemory host_memory() const override { return device_->host_memory(); }
  std::unique_ptr<Fence> CopyAsync(at::Tensor to, at::Tensor from) override {
    return device_->CopyAsync(std::move(to), std::move(from));
  }
  MemoryUse Memory() const override {
    MemoryUse use = device_->Memory();
    use.capacity = use.current.total() + 10 * kKiB;
    use.fragmented = fragmented_;
    return use;
  }
  void ResetPeak() override { device_->ResetPeak(); }
  void EmptyCaches() override { device_->EmptyCaches(); }

 private:
  const std::shared_ptr<Device> device_;
  const uint64_t fragmented_;
};

TEST_F(ResidencyTest, NoPlanCountsOnWhatIsFreeOnlyInPieces) {
  for (const auto& [fragmented, fits] : {std::pair{uint64_t{0}, true}, {4 * kKiB, false}}) {
    const Residency residency({Part("unet", {UnitKind::kStep}, 4 * kKiB)},
                              std::make_shared<InPieces>(device_, fragmented), clock_);
    EXPECT_EQ(residency.Budget().fragmented, fragmented);
    const ResidencyPlan full = PlanResidency(Strategy::kFull, residency.Sizes(WeightForm::kPlain),
                                             {{UnitKind::kStep, {}}}, residency.Budget());
    EXPECT_EQ(full.FitsIn(residency.Budget()), fits);
  }
}

TEST_F(ResidencyTest, TellsAPlanWhatThereIs) {
  Make(Strategy::kCpuOffload);
  const uint64_t others = residency_->Budget().reserved;
  Enter(strategy_, UnitKind::kStep);
  EXPECT_EQ(residency_->Budget().reserved, others) << "its own weights can be moved";
  const at::Tensor foreign = at::full({256}, 1.0f);
  EXPECT_EQ(residency_->Budget().reserved, others + kKiB);
  const std::vector<PartSize> sizes = residency_->Sizes(WeightForm::kPlain).parts;
  ASSERT_EQ(sizes.size(), 4u);
  EXPECT_EQ(sizes[1].name, "unet");
  EXPECT_EQ(sizes[1].bytes, 8 * kKiB);
}

TEST_F(ResidencyTest, ARunMayComeWithAnotherStrategy) {
  Make(Strategy::kFull);
  EXPECT_EQ(HeldIn(UnitKind::kStep), 14u);
  Enter(Strategy::kSequentialOffload, UnitKind::kStep);
  EXPECT_EQ(Held(), 0u);
  Enter(Strategy::kFull, UnitKind::kStep);
  EXPECT_EQ(Held(), 14u);
}

}  // namespace
}  // namespace phasor::engine
