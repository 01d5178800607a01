#include "engine/memory/cuts.h"

namespace phasor::engine {

std::optional<Cuts> FinerThan(const Cuts& cuts, UnitKind phase, const Cuttable& cuttable) {
  Cuts finer = cuts;
  if (phase == UnitKind::kStep && cuttable.guidance && !cuts.split_guidance) {
    finer.split_guidance = true;
    return finer;
  }
  if (phase != UnitKind::kDecode || cuts.decode_on_host) return std::nullopt;
  for (const int tile : cuttable.vae_tiles) {
    if (cuts.vae_tile != 0 && tile >= cuts.vae_tile) continue;
    finer.vae_tile = tile;
    return finer;
  }
  if (!cuttable.host_decodes) return std::nullopt;
  finer.vae_tile = 0;
  finer.decode_on_host = true;
  return finer;
}

std::string NameOfLast(const Cuts& cuts, UnitKind phase) {
  if (phase == UnitKind::kDecode && cuts.decode_on_host) return "DECODE_ON_HOST";
  if (phase == UnitKind::kDecode) return "VAE_TILE_" + std::to_string(cuts.vae_tile);
  return "SPLIT_GUIDANCE";
}

std::string Describe(const Cuts& cuts) {
  std::string text = cuts.split_guidance ? "guidance split" : "";
  if (cuts.vae_tile == 0 && !cuts.decode_on_host) return text;
  if (!text.empty()) text.append(", ");
  if (cuts.decode_on_host) return text.append("decoded on the host");
  return text.append("decoded in tiles of ")
      .append(std::to_string(cuts.vae_tile))
      .append(" pixels");
}

}  // namespace phasor::engine
