#include "services/render/plan_text.h"

#include <gtest/gtest.h>

namespace phasor::render {
namespace {

using engine::Placement;
using engine::Strategy;
using engine::UnitKind;
using engine::WeightForm;

constexpr uint64_t kMiB = uint64_t{1} << 20;

constexpr engine::LargestSquares kLargest = {.whole = 640, .in_pieces = 1024};

engine::ModelPlan Plan() {
  return {.budget = {.capacity = 64 * kMiB, .reserved = kMiB / 2},
          .strategies =
              {{Strategy::kFull,
                WeightForm::kPlain,
                {{UnitKind::kEncode,
                  {{"text_encoder", Placement::kResident, 10 * kMiB},
                   {"unet", Placement::kResident, 60 * kMiB}},
                  70 * kMiB + kMiB / 4},
                 {UnitKind::kStep,
                  {{"text_encoder", Placement::kResident, 10 * kMiB},
                   {"unet", Placement::kResident, 60 * kMiB}},
                  75 * kMiB}}},
               {Strategy::kSequentialOffload,
                WeightForm::kPlain,
                {{UnitKind::kEncode,
                  {{"text_encoder", Placement::kStreamed, 0}, {"unet", Placement::kAbsent, 0}},
                  kMiB},
                 {UnitKind::kStep,
                  {{"text_encoder", Placement::kAbsent, 0}, {"unet", Placement::kStreamed, 0}},
                  12 * kMiB}}}},
          .chosen = {{Strategy::kSequentialOffload, WeightForm::kPlain, {}}, {}}};
}

TEST(PlanTextTest, ListsStrategiesAndWhereThePartsAre) {
  EXPECT_EQ(PlanText(Plan(), "SEQUENTIAL_OFFLOAD", kLargest),
            "The device has 64MiB, of which 512KiB are taken. AUTO takes SEQUENTIAL_OFFLOAD.\n"
            "\n"
            "predicted peak        encode  denoise    run\n"
            "FP16_FULL           70.25MiB    75MiB  75MiB  does not fit\n"
            "SEQUENTIAL_OFFLOAD      1MiB    12MiB  12MiB          fits\n"
            "\n"
            "SEQUENTIAL_OFFLOAD    encode   denoise\n"
            "text_encoder        by layer         -\n"
            "unet                       -  by layer\n"
            "\n"
            "The largest square picture that fits: 640x640, in pieces 1024x1024.\n");
}

TEST(PlanTextTest, SaysWhatIsCutAndWhatThatTakes) {
  engine::ModelPlan plan = Plan();
  plan.budget.capacity = 8 * kMiB;
  plan.chosen = {{Strategy::kSequentialOffload,
                  WeightForm::kPlain,
                  {{UnitKind::kEncode, {}, kMiB}, {UnitKind::kStep, {}, 7 * kMiB}}},
                 {.split_guidance = true, .vae_tile = 0}};
  const std::string text = PlanText(plan, "SEQUENTIAL_OFFLOAD", kLargest);
  EXPECT_NE(text.find("AUTO takes SEQUENTIAL_OFFLOAD, guidance split.\n"), std::string::npos);
  EXPECT_NE(
      text.find("SEQUENTIAL_OFFLOAD                      1MiB    12MiB  12MiB  does not fit\n"
                "SEQUENTIAL_OFFLOAD, guidance split      1MiB     7MiB   7MiB          fits\n"),
      std::string::npos)
      << text;
}

TEST(PlanTextTest, TellsTimesWhereSomeAreKnown) {
  engine::ModelPlan plan = Plan();
  plan.seconds = {9.5, 123.4};
  const std::string text = PlanText(plan, "FP16_FULL", kLargest);
  EXPECT_NE(text.find("predicted peak        encode  denoise    run   time\n"
                      "FP16_FULL           70.25MiB    75MiB  75MiB  9.50s  does not fit\n"
                      "SEQUENTIAL_OFFLOAD      1MiB    12MiB  12MiB   123s          fits\n"),
            std::string::npos)
      << text;
  plan.seconds = {45.6, 0};
  EXPECT_NE(PlanText(plan, "FP16_FULL", kLargest).find("45.6s"), std::string::npos);
  EXPECT_NE(PlanText(plan, "FP16_FULL", kLargest).find("12MiB      -  "), std::string::npos);
}

TEST(PlanTextTest, SaysWhatIsFreeOnlyInPieces) {
  engine::ModelPlan plan = Plan();
  plan.budget.fragmented = 128 << 10;
  const std::string text = PlanText(plan, "SEQUENTIAL_OFFLOAD", kLargest);
  EXPECT_NE(text.find("of which 512KiB are taken, 128KiB of it free only in pieces. AUTO"),
            std::string::npos)
      << text;
}

TEST(PlanTextTest, ADeviceMayHaveNoBound) {
  engine::ModelPlan plan = Plan();
  plan.budget = {};
  const std::string text = PlanText(plan, "FP16_FULL", kLargest);
  EXPECT_TRUE(text.starts_with("The device has no bound of its own. AUTO takes ")) << text;
  EXPECT_EQ(text.find("does not fit"), std::string::npos) << text;
  EXPECT_EQ(text.find("largest"), std::string::npos) << "there is none";
  EXPECT_NE(text.find("unet           60MiB    60MiB\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace phasor::render
