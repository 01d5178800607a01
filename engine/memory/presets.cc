#include "engine/memory/presets.h"

namespace phasor::engine {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kGiB = uint64_t{1} << 30;

// Cards have some hundredths less than their name says, hence the fractions of card_bytes. From the
// smallest on.
constexpr Preset kPresets[] = {
    {"4gb", "a card of 4 GB", "auto", kGiB * 15 / 4, kGiB * 13 / 4, 1, true, 16 * kMiB, 0},
    {"8gb", "a card of 8 GB", "auto", kGiB * 15 / 2, kGiB * 7, 2, false, 16 * kMiB, 0},
    {"24gb", "a card of 24 GB", "auto", kGiB * 45 / 2, kGiB * 22, 4, false, 64 * kMiB, 256 * kMiB},
    {"cpu", "a machine without a card", "cpu", 0, 0, 1, false, 16 * kMiB, 0},
};

}  // namespace

std::span<const Preset> Presets() { return kPresets; }

std::string PresetNames() {
  std::string names;
  for (const Preset& preset : kPresets) {
    names.append(names.empty() ? "" : ", ").append(preset.name);
  }
  return names;
}

StatusOr<Preset> FindPreset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return preset;
  }
  return InvalidArgument("must be one of " + PresetNames() + ", got '" + std::string(name) + "'");
}

const Preset& PresetFor(uint64_t card_bytes) {
  const Preset* suits = &kPresets[std::size(kPresets) - 1];
  for (const Preset& preset : kPresets) {
    if (preset.card_bytes > 0 && preset.card_bytes <= card_bytes) suits = &preset;
  }
  return *suits;
}

}  // namespace phasor::engine
