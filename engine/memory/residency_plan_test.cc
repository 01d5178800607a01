#include "engine/memory/residency_plan.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

constexpr UnitKind kEncode = UnitKind::kEncode, kStep = UnitKind::kStep,
                   kDecode = UnitKind::kDecode;

const ModelSizes kParts = {WeightForm::kPlain,
                           {{"text_encoder", {kEncode}, 100},
                            {"unet", {kStep}, 1000},
                            {"vae.decoder", {kDecode}, 50},
                            {"vae.encoder", {}, 70}}};
const std::vector<PhaseNeed> kNeeds = {{kEncode, {.resident = 5, .streamed = 30}},
                                       {kStep, {.resident = 200, .streamed = 260}},
                                       {kDecode, {.resident = 300, .streamed = 310}}};

TEST(ResidencyPlanTest, PredictsThePeakOfEachPhase) {
  struct Case {
    Strategy strategy;
    uint64_t encode, denoise, decode, peak;
  };
  const Case cases[] = {
      {Strategy::kFull, 1155, 1350, 1450, 1450},
      {Strategy::kCpuOffload, 105, 1200, 350, 1200},
      {Strategy::kBlockStream, 30, 260, 310, 310},
      {Strategy::kSequentialOffload, 30, 260, 310, 310},
  };
  for (const Case& test : cases) {
    const ResidencyPlan plan = PlanResidency(test.strategy, kParts, kNeeds, {});
    EXPECT_EQ(plan.peak_bytes(kEncode), test.encode) << ToString(test.strategy);
    EXPECT_EQ(plan.peak_bytes(kStep), test.denoise) << ToString(test.strategy);
    EXPECT_EQ(plan.peak_bytes(kDecode), test.decode) << ToString(test.strategy);
    EXPECT_EQ(plan.peak_bytes(), test.peak) << ToString(test.strategy);
    EXPECT_EQ(plan.peak_bytes(UnitKind::kDone), 0u);
  }
}

TEST(ResidencyPlanTest, SwapsWhereAPartHoldsTheDeviceInSomePhasesOnly) {
  const auto swaps = [](Strategy strategy, const MemoryBudget& budget) {
    return PlanResidency(strategy, kParts, kNeeds, budget).SwapsBetweenPhases();
  };
  EXPECT_FALSE(swaps(Strategy::kFull, {}));
  EXPECT_TRUE(swaps(Strategy::kCpuOffload, {}));
  EXPECT_TRUE(swaps(Strategy::kBlockStream, {.capacity = 1'000}));
  EXPECT_FALSE(swaps(Strategy::kBlockStream, {})) << "nothing stays, so nothing has to go";
  EXPECT_FALSE(swaps(Strategy::kSequentialOffload, {}));
  EXPECT_FALSE(ResidencyPlan().SwapsBetweenPhases());
}

TEST(ResidencyPlanTest, QuantisedPartsAreMadeValuesOfALayerAtATime) {
  const ModelSizes sizes = {
      WeightForm::kNf4,
      {{"text_encoder", {kEncode}, 100}, {"unet", {kStep}, 300, /*quantised=*/true}}};
  const ResidencyPlan full = PlanResidency(Strategy::kFull, sizes, kNeeds, {});
  EXPECT_EQ(full.name(), "NF4_QUANTIZED");
  EXPECT_EQ(full.peak_bytes(kEncode), 405u);
  EXPECT_EQ(full.peak_bytes(kStep), 400u + 260u);
  const ResidencyPlan sequential = PlanResidency(Strategy::kSequentialOffload, sizes, kNeeds, {});
  EXPECT_EQ(sequential.peak_bytes(kStep), 260u);
}

TEST(ResidencyPlanTest, BlockStreamKeepsWhatThereIsRoomForBesideTheLayersThatComeAhead) {
  const ModelSizes sizes = {
      WeightForm::kPlain,
      {{.name = "unet", .phases = {kStep}, .bytes = 1600, .largest_layer = 50}}};
  struct Case {
    uint64_t capacity, reserved, kept;
  };
  const uint64_t kWithout = 310 + 50;  // with the next layer under way
  for (const Case& test :
       {Case{0, 0, 0}, {kWithout, 0, 0}, {1020, 0, 600}, {1020, 102, 500}, {100'000, 0, 1600}}) {
    const ResidencyPlan plan =
        PlanResidency(Strategy::kBlockStream, sizes, {{kStep, {.resident = 200, .streamed = 310}}},
                      {.capacity = test.capacity, .reserved = test.reserved});
    EXPECT_EQ(plan.phases[0].parts[0].bytes, test.kept) << test.capacity;
    EXPECT_EQ(plan.peak_bytes(), kWithout + test.kept) << test.capacity;
  }
}

TEST(ResidencyPlanTest, SaysWhereEachPartIs) {
  const ResidencyPlan full = PlanResidency(Strategy::kFull, kParts, kNeeds, {});
  EXPECT_EQ(full.phases[0].parts[1].placement, Placement::kResident) << "from the start";
  EXPECT_EQ(full.phases[0].parts[3].placement, Placement::kAbsent) << "no phase needs it";
  const ResidencyPlan offload = PlanResidency(Strategy::kCpuOffload, kParts, kNeeds, {});
  EXPECT_EQ(offload.phases[1].parts[0].placement, Placement::kAbsent);
  EXPECT_EQ(offload.phases[1].parts[1].bytes, 1000u);
  const ResidencyPlan sequential = PlanResidency(Strategy::kSequentialOffload, kParts, kNeeds, {});
  EXPECT_EQ(sequential.phases[1].parts[1].placement, Placement::kStreamed);
  EXPECT_EQ(sequential.phases[1].parts[1].bytes, 0u);
}

TEST(ResidencyPlanTest, ChoosesTheCheapestThatFits) {
  struct Case {
    MemoryBudget budget;
    Strategy strategy;
  };
  const Case cases[] = {
      {{.capacity = 0}, Strategy::kFull},
      {{.capacity = 1450 + 29}, Strategy::kFull},
      {{.capacity = 1450 + 28}, Strategy::kCpuOffload},
      {{.capacity = 1200 + 24}, Strategy::kCpuOffload},
      {{.capacity = 1450 + 29, .reserved = 1}, Strategy::kCpuOffload},
      {{.capacity = 1200 + 23}, Strategy::kBlockStream},
      {{.capacity = 10}, Strategy::kSequentialOffload},
      {{.capacity = 10, .reserved = 20}, Strategy::kSequentialOffload},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(ChooseResidency(test.budget, kParts, kNeeds).strategy, test.strategy)
        << test.budget.capacity << ", " << test.budget.reserved;
  }
}

}  // namespace
}  // namespace phasor::engine
