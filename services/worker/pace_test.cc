#include "gtest/gtest.h"
#include "services/worker/patience.h"
#include "services/worker/unit_pace.h"

namespace phasor::worker {
namespace {

using engine::Unit;
using engine::UnitKind;

const UnitPace::Shape kShape{"m", 64 * 64};

TEST(UnitPaceTest, BelievesInASilentUnitFifteenTimesItsLength) {
  UnitPace pace;
  const Unit step{.kind = UnitKind::kStep};
  EXPECT_EQ(pace.Stall(kShape, step), Millis(120'000)) << "nothing is known";
  pace.Note(kShape, UnitKind::kStep, 0.1);
  EXPECT_EQ(pace.Stall(kShape, step), Millis(20'000));
  EXPECT_EQ(pace.Stall(kShape, {.kind = UnitKind::kStep, .predicted_seconds = 4}), Millis(60'000));
  EXPECT_EQ(pace.Stall(kShape, {.kind = UnitKind::kStep, .predicted_seconds = 400}),
            Millis(600'000));
  EXPECT_EQ(pace.Stall({"m", 9}, step), Millis(120'000)) << "another size";
}

TEST(UnitPaceTest, WhatEveryUnitIsGrantedCanBeSet) {
  UnitPace pace(Millis(500));
  const Unit step{.kind = UnitKind::kStep};
  EXPECT_EQ(pace.Stall(kShape, step), Millis(3'000)) << "nothing is known";
  pace.Note(kShape, UnitKind::kStep, 0.01);
  EXPECT_EQ(pace.Stall(kShape, step), Millis(500));
  pace.Note(kShape, UnitKind::kDecode, 1);
  EXPECT_EQ(pace.Stall(kShape, {.kind = UnitKind::kDecode}), Millis(15'000));
  UnitPace patient(Millis(3'600'000));
  patient.Note(kShape, UnitKind::kStep, 0.01);
  EXPECT_EQ(patient.Stall(kShape, step), Millis(3'600'000));
}

TEST(UnitPaceTest, TellsTheTimeLeftOnceItKnowsAStep) {
  UnitPace pace;
  const Unit third{.kind = UnitKind::kStep, .index = 2, .count = 10};
  EXPECT_EQ(pace.SecondsLeft(kShape, third, 2), 0);
  pace.Note(kShape, UnitKind::kStep, 0.5);
  EXPECT_DOUBLE_EQ(pace.SecondsLeft(kShape, third, 2), 4);
  pace.Note(kShape, UnitKind::kDecode, 1);
  EXPECT_DOUBLE_EQ(pace.SecondsLeft(kShape, third, 2), 6);
  EXPECT_DOUBLE_EQ(pace.SecondsLeft(kShape, {.kind = UnitKind::kDecode, .index = 1, .count = 2}, 2),
                   1);
  const Unit first{.kind = UnitKind::kEncode};
  EXPECT_DOUBLE_EQ(pace.RunSeconds(kShape, first, 10, 2), 7);
  pace.Note(kShape, UnitKind::kEncode, 0.25);
  EXPECT_DOUBLE_EQ(pace.RunSeconds(kShape, first, 10, 2), 7.25);
  EXPECT_DOUBLE_EQ(pace.RunSeconds(kShape, third, 10, 2), 6);
  EXPECT_EQ(UnitPace().RunSeconds(kShape, first, 10, 2), 0) << "nothing is known";
}

TEST(BackoffTest, GrowsWithFullJitterToItsLimit) {
  EXPECT_EQ(Backoff(0, Millis(100), Millis(2'000), 0.99), Millis(100));
  EXPECT_EQ(Backoff(3, Millis(100), Millis(2'000), 0), Millis(100));
  EXPECT_EQ(Backoff(3, Millis(100), Millis(2'000), 1), Millis(800));
  EXPECT_EQ(Backoff(60, Millis(100), Millis(2'000), 1), Millis(2'000));
}

}  // namespace
}  // namespace phasor::worker
