// What a pass does in pieces, so that less is alive at a time. A strategy moves weights and changes
// no byte; a cut changes what is computed, so it is taken when no strategy is enough, and a
// picture's fingerprint tells it. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/unit_kind.h"

namespace phasor::engine {

struct Cuts {
  // The denoiser's two passes of guidance one after the other, not as a batch of two. Rounding
  // only.
  bool split_guidance = false;
  // Side of the tiles that a picture is decoded in, in pixels of the picture; 0: whole. Seams are
  // blended, but norms see a tile alone, so that colours shift a little.
  int vae_tile = 0;

  // Decoded whole by the host, in its memory. The kernels are the CPU's, which on a card gives
  // other roundings, and it is slow.
  bool decode_on_host = false;

  bool none() const { return !split_guidance && vae_tile == 0 && !decode_on_host; }
  bool operator==(const Cuts&) const = default;
};

// What there is to cut in a run.
struct Cuttable {
  bool guidance = false;       // some step has two passes
  std::vector<int> vae_tiles;  // from large to small, each smaller than the picture
  bool host_decodes = false;   // the host's memory is not the device's
};

// `cuts` and one more, or a finer one, that makes a unit of the phase smaller, if there is any.
std::optional<Cuts> FinerThan(const Cuts& cuts, UnitKind phase, const Cuttable& cuttable);

// The one that FinerThan added, as results and metrics name it: "SPLIT_GUIDANCE", "VAE_TILE_256",
// "DECODE_ON_HOST".
std::string NameOfLast(const Cuts& cuts, UnitKind phase);

// For people: "guidance split, decoded in tiles of 256 pixels"; empty without any.
std::string Describe(const Cuts& cuts);

}  // namespace phasor::engine
