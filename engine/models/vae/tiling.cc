#include "engine/models/vae/tiling.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "engine/tensor/beside.h"

namespace phasor::engine {
namespace {

constexpr int64_t kUnit = 4;          // latents: tiles of a multiple join without a gap
constexpr int64_t kSmallestTile = 8;  // latents
// Of the largest tile, in eighths.
constexpr int64_t kEighths[] = {8, 6, 4, 3, 2, 1};

// Fades from the last `extent` rows (or columns) of `before` to the first ones of `tile`, in place.
void Blend(const at::Tensor& before, const at::Tensor& tile, int64_t axis, int64_t extent) {
  extent = std::min({extent, before.size(axis), tile.size(axis)});
  std::vector<int64_t> shape = {1, 1, 1, 1};
  shape[axis] = extent;
  const at::Tensor share =
      Beside((at::arange(extent, at::kFloat) / static_cast<double>(extent)).view(shape),
             tile.device())
          .to(tile.dtype());
  const at::Tensor last = before.slice(axis, before.size(axis) - extent);
  at::Tensor first = tile.slice(axis, 0, extent);
  first.copy_(last * (1 - share) + first * share);
}

}  // namespace

std::vector<int> TileSides(int64_t sample_size, int64_t scale, int64_t height, int64_t width) {
  std::vector<int> sides;
  const int64_t largest = sample_size / scale / kUnit * kUnit;
  for (const int64_t eighths : kEighths) {
    const int64_t tile = largest * eighths / 8 / kUnit * kUnit;
    if (tile < kSmallestTile || tile * scale >= std::max(height, width)) continue;
    sides.push_back(static_cast<int>(tile * scale));
  }
  return sides;
}

at::Tensor DecodeTiled(const Tiling& tiling, const at::Tensor& latents,
                       const std::function<at::Tensor(const at::Tensor&)>& decode) {
  constexpr int64_t kRows = 2, kColumns = 3;
  const int64_t stride = tiling.tile - tiling.tile / kUnit;
  const int64_t extent = tiling.tile / kUnit * tiling.scale;
  const int64_t kept = stride * tiling.scale;
  at::Tensor picture;
  std::vector<at::Tensor> above;
  for (int64_t top = 0; top < latents.size(kRows); top += stride) {
    std::vector<at::Tensor> row;
    for (int64_t left = 0; left < latents.size(kColumns); left += stride) {
      at::Tensor tile = decode(latents.slice(kRows, top, top + tiling.tile)
                                   .slice(kColumns, left, left + tiling.tile)
                                   .contiguous());
      if (!picture.defined()) {
        picture = at::empty({1, tile.size(1), latents.size(kRows) * tiling.scale,
                             latents.size(kColumns) * tiling.scale},
                            tile.options());
      }
      // A tile is blended with neighbours that have been blended themselves.
      if (!above.empty()) Blend(above[row.size()], tile, kRows, extent);
      if (!row.empty()) Blend(row.back(), tile, kColumns, extent);
      const auto place = [&](const at::Tensor& tensor, int64_t y, int64_t x) {
        return tensor.slice(kRows, y, y + kept).slice(kColumns, x, x + kept);
      };
      place(picture, top * tiling.scale, left * tiling.scale).copy_(place(tile, 0, 0));
      row.push_back(std::move(tile));
    }
    above = std::move(row);
  }
  return picture;
}

}  // namespace phasor::engine
