#include "engine/memory/presets.h"

#include <gtest/gtest.h>

#include "engine/memory/memory_budget.h"

namespace phasor::engine {
namespace {

constexpr uint64_t kGiB = uint64_t{1} << 30;

TEST(PresetsTest, EachIsFoundByItsName) {
  for (const Preset& preset : Presets()) EXPECT_EQ(FindPreset(preset.name)->what, preset.what);
  EXPECT_EQ(Presets().size(), 4u);
}

TEST(PresetsTest, AnUnknownNameListsThem) {
  const auto found = FindPreset("16gb");
  EXPECT_EQ(found.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(found.status()), "must be one of 4gb, 8gb, 24gb, cpu, got '16gb'");
}

TEST(PresetsTest, EachLeavesSomethingOfItsCard) {
  for (const Preset& preset : Presets()) {
    if (preset.card_bytes == 0) {
      EXPECT_EQ(preset.vram_bytes, 0u) << preset.name;
      continue;
    }
    EXPECT_LT(preset.vram_bytes, preset.card_bytes) << preset.name;
    EXPECT_GE(preset.vram_bytes, kLeastDeviceBytes) << preset.name;
  }
}

TEST(PresetsTest, SuitsTheCardThatThereIs) {
  const std::pair<uint64_t, std::string_view> cases[] = {
      {0, "cpu"},        {2 * kGiB, "cpu"},  {kGiB * 39 / 10, "4gb"}, {6 * kGiB, "4gb"},
      {8 * kGiB, "8gb"}, {16 * kGiB, "8gb"}, {24 * kGiB, "24gb"},     {141 * kGiB, "24gb"},
  };
  for (const auto& [bytes, name] : cases) EXPECT_EQ(PresetFor(bytes).name, name) << bytes;
}

}  // namespace
}  // namespace phasor::engine
