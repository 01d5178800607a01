#include "engine/memory/ladder.h"

#include <gtest/gtest.h>

#include <vector>

namespace phasor::engine {
namespace {

// All that a unit is tried with, from FP16_FULL to the end.
std::vector<std::string> Actions(UnitKind phase, const Cuttable& cuttable, bool fits = false) {
  std::vector<std::string> actions;
  Rung at;
  while (const std::optional<Rung> next = NextRung(at, phase, cuttable, fits)) {
    actions.push_back(ActionOf(at, *next, phase));
    at = *next;
  }
  return actions;
}

TEST(LadderTest, ChangesNoByteBeforeItHasTo) {
  const Cuttable cuttable = {.guidance = true, .vae_tiles = {512, 256}};
  using Words = std::vector<std::string>;
  EXPECT_EQ(Actions(UnitKind::kEncode, cuttable),
            (Words{"CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD", "AGAIN"}));
  EXPECT_EQ(
      Actions(UnitKind::kStep, cuttable),
      (Words{"CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD", "AGAIN", "SPLIT_GUIDANCE"}));
  EXPECT_EQ(Actions(UnitKind::kDecode, cuttable),
            (Words{"CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD", "AGAIN", "VAE_TILE_512",
                   "VAE_TILE_256"}));
}

TEST(LadderTest, WhatShouldFitIsTriedOftenBeforeItIsCutAndAfter) {
  const std::vector<std::string> actions =
      Actions(UnitKind::kStep, {.guidance = true, .vae_tiles = {}}, /*fits=*/true);
  EXPECT_EQ(actions, (std::vector<std::string>{"CPU_OFFLOAD", "BLOCK_STREAM", "SEQUENTIAL_OFFLOAD",
                                               "AGAIN", "AGAIN", "AGAIN", "AGAIN", "SPLIT_GUIDANCE",
                                               "AGAIN", "AGAIN", "AGAIN", "AGAIN"}));
}

TEST(LadderTest, WhatIsCutStaysCutInTheNextPhase) {
  const Cuttable cuttable = {.guidance = true, .vae_tiles = {256}};
  const Rung split = {Strategy::kSequentialOffload, {.split_guidance = true, .vae_tile = 0}, 1};
  EXPECT_FALSE(NextRung(split, UnitKind::kStep, cuttable, false));
  const std::optional<Rung> tiled = NextRung(split, UnitKind::kDecode, cuttable, false);
  ASSERT_TRUE(tiled);
  EXPECT_EQ(tiled->cuts, (Cuts{.split_guidance = true, .vae_tile = 256}));
}

}  // namespace
}  // namespace phasor::engine
