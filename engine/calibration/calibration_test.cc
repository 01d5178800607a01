#include "engine/calibration/calibration.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

MeasuredUnit Step(int side, bool guidance, uint64_t expected, uint64_t counted, double seconds) {
  return {{UnitKind::kStep, side, side, guidance}, expected, counted, seconds};
}

Calibration TwoSizes() {
  return {{Step(100, true, 1000, 1100, 1), Step(200, true, 4000, 4000, 8)}, 0};
}

UnitShape Square(int side, bool guidance = true) { return {UnitKind::kStep, side, side, guidance}; }

TEST(CalibrationTest, NothingMeasuredCorrectsNothingAndKnowsNoTime) {
  EXPECT_EQ(MemoryFactor({}, Square(64)), 1);
  EXPECT_EQ(UnitSeconds({}, Square(64)), 0);
  const Calibration other = {{{{UnitKind::kDecode, 64, 64, false}, 100, 90, 1}}, 0};
  EXPECT_EQ(MemoryFactor(other, Square(64)), 1) << "another phase's";
  EXPECT_EQ(UnitSeconds(other, Square(64)), 0);
}

TEST(CalibrationTest, CorrectsInProportionBetweenSizesAndAsTheNearestBeyond) {
  EXPECT_DOUBLE_EQ(MemoryFactor(TwoSizes(), Square(100)), 1.1);
  EXPECT_DOUBLE_EQ(MemoryFactor(TwoSizes(), Square(200)), 1.0);
  const UnitShape between{UnitKind::kStep, 250, 100,
                          true};  // half of the way from 10,000 to 40,000
  EXPECT_DOUBLE_EQ(MemoryFactor(TwoSizes(), between), 1.05);
  EXPECT_DOUBLE_EQ(MemoryFactor(TwoSizes(), Square(64)), 1.1);
  EXPECT_DOUBLE_EQ(MemoryFactor(TwoSizes(), Square(1024)), 1.0);
}

TEST(CalibrationTest, TimeGrowsByThePowerThatWasMeasured) {
  EXPECT_DOUBLE_EQ(UnitSeconds(TwoSizes(), Square(100)), 1);
  EXPECT_DOUBLE_EQ(UnitSeconds(TwoSizes(), Square(200)), 8);
  // Four times the area took eight times as long, so sixteen times take 64.
  EXPECT_NEAR(UnitSeconds(TwoSizes(), Square(400)), 64, 1e-9);
  EXPECT_NEAR(UnitSeconds(TwoSizes(), Square(50)), 1.0 / 8, 1e-9);
}

TEST(CalibrationTest, OneSizeAloneGrowsWithTheAreaAndTextsDoNot) {
  const Calibration one = {
      {Step(100, true, 1, 1, 2), {{UnitKind::kEncode, 100, 100, true}, 1, 1, 3}}, 0};
  EXPECT_DOUBLE_EQ(UnitSeconds(one, Square(200)), 8);
  EXPECT_DOUBLE_EQ(UnitSeconds(one, {UnitKind::kEncode, 200, 200, true}), 3);
}

TEST(CalibrationTest, TakesStepsWithTheSameGuidanceWhereThereAreSome) {
  Calibration both = TwoSizes();
  both.units.push_back(Step(100, false, 1000, 900, 0.5));
  EXPECT_DOUBLE_EQ(MemoryFactor(both, Square(100, false)), 0.9);
  EXPECT_DOUBLE_EQ(UnitSeconds(both, Square(100, false)), 0.5);
  EXPECT_DOUBLE_EQ(UnitSeconds(TwoSizes(), Square(100, false)), 1) << "better than none";
}

constexpr UnitKind kPhases[] = {UnitKind::kEncode, UnitKind::kStep, UnitKind::kDecode};

// A network of 100 bytes for each phase.
ResidencyPlan PlanOf(Strategy strategy, uint64_t kept_ahead = 0) {
  ResidencyPlan plan{strategy, WeightForm::kPlain, {}};
  for (const UnitKind phase : kPhases) {
    PlannedPhase& planned = plan.phases.emplace_back(PlannedPhase{phase, {}, 0});
    for (const UnitKind owner : kPhases) {
      const Placement placement = PlacementOf(strategy, {owner}, phase);
      uint64_t bytes = placement == Placement::kResident ? 100 : 0;
      if (placement == Placement::kAhead) bytes = kept_ahead;
      planned.parts.push_back({"part", placement, bytes, 0});
    }
  }
  return plan;
}

// A picture of 100x100 in ten steps: 1 s of text, 1 s a step, 2 s of decoding; 0.01 s a byte.
double Seconds(const ResidencyPlan& plan) {
  const Calibration measured = {{Step(100, true, 1, 1, 1),
                                 {{UnitKind::kEncode, 100, 100, true}, 1, 1, 1},
                                 {{UnitKind::kDecode, 100, 100, true}, 1, 1, 2}},
                                0.01};
  PictureSpec spec;
  spec.width = spec.height = 100;
  spec.steps = 10;
  return RunSeconds(measured, PlanOf(Strategy::kFull), plan, spec);
}

TEST(CalibrationTest, ARunTakesItsUnitsAndWhatItWaitsForWeights) {
  EXPECT_DOUBLE_EQ(Seconds(PlanOf(Strategy::kFull)), 13);
  EXPECT_DOUBLE_EQ(Seconds(PlanOf(Strategy::kCpuOffload)), 16) << "each network once";
  EXPECT_DOUBLE_EQ(Seconds(PlanOf(Strategy::kSequentialOffload)), 25) << "one a pass";
}

TEST(CalibrationTest, WeightsThatComeAheadCostWhatAStepCannotHide) {
  // A step computes for as long as its weights take: text and decoding are waited for.
  EXPECT_DOUBLE_EQ(Seconds(PlanOf(Strategy::kBlockStream)), 15);
  EXPECT_DOUBLE_EQ(Seconds(PlanOf(Strategy::kBlockStream, 100)), 16) << "kept: brought over once";
}

TEST(CalibrationTest, QuantisedWeightsWereNotMeasured) {
  ResidencyPlan plan = PlanOf(Strategy::kFull);
  plan.form = WeightForm::kFp8;
  EXPECT_EQ(Seconds(plan), 0);
}

}  // namespace
}  // namespace phasor::engine
