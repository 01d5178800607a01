#include "engine/memory/cuts.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(CutsTest, GuidanceIsSplitOnceAndOnlyWhileDenoising) {
  const Cuttable cuttable = {.guidance = true, .vae_tiles = {}};
  const std::optional<Cuts> split = FinerThan({}, UnitKind::kStep, cuttable);
  ASSERT_TRUE(split);
  EXPECT_TRUE(split->split_guidance);
  EXPECT_EQ(NameOfLast(*split, UnitKind::kStep), "SPLIT_GUIDANCE");
  EXPECT_FALSE(FinerThan(*split, UnitKind::kStep, cuttable));
  EXPECT_FALSE(FinerThan({}, UnitKind::kStep, {})) << "no step has guidance";
  EXPECT_FALSE(FinerThan({}, UnitKind::kEncode, cuttable));
}

TEST(CutsTest, TilesGetSmallerUntilThereIsNoneLeft) {
  const Cuttable cuttable = {.guidance = true, .vae_tiles = {512, 384, 256}};
  Cuts cuts = {.split_guidance = true, .vae_tile = 0};
  for (const int tile : {512, 384, 256}) {
    const std::optional<Cuts> finer = FinerThan(cuts, UnitKind::kDecode, cuttable);
    ASSERT_TRUE(finer) << tile;
    EXPECT_EQ(finer->vae_tile, tile);
    EXPECT_TRUE(finer->split_guidance) << "what was cut stays cut";
    EXPECT_EQ(NameOfLast(*finer, UnitKind::kDecode), "VAE_TILE_" + std::to_string(tile));
    cuts = *finer;
  }
  EXPECT_FALSE(FinerThan(cuts, UnitKind::kDecode, cuttable));
}

TEST(CutsTest, TheHostDecodesLastAndWhole) {
  const Cuttable cuttable = {.guidance = false, .vae_tiles = {256}, .host_decodes = true};
  const Cuts tiled = FinerThan({}, UnitKind::kDecode, cuttable).value();
  EXPECT_EQ(tiled.vae_tile, 256);
  const Cuts host = FinerThan(tiled, UnitKind::kDecode, cuttable).value();
  EXPECT_EQ(host.vae_tile, 0);
  EXPECT_TRUE(host.decode_on_host);
  EXPECT_EQ(NameOfLast(host, UnitKind::kDecode), "DECODE_ON_HOST");
  EXPECT_EQ(Describe(host), "decoded on the host");
  EXPECT_FALSE(host.none());
  EXPECT_FALSE(FinerThan(host, UnitKind::kDecode, cuttable));
  EXPECT_FALSE(FinerThan({}, UnitKind::kStep, cuttable)) << "it denoises nothing";
}

TEST(CutsTest, AreDescribedForPeople) {
  EXPECT_EQ(Describe({}), "");
  EXPECT_EQ(Describe({.split_guidance = true, .vae_tile = 0}), "guidance split");
  EXPECT_EQ(Describe({.split_guidance = true, .vae_tile = 256}),
            "guidance split, decoded in tiles of 256 pixels");
  EXPECT_TRUE(Cuts{}.none());
}

}  // namespace
}  // namespace phasor::engine
