#include "services/cli/text/sheet.h"

#include <algorithm>
#include <cmath>

#include "common/image/png.h"

namespace phasor::cli {
namespace {

constexpr int kGap = 4;  // pixels
constexpr uint64_t kMaxPixels = 16 << 20;
constexpr uint64_t kMaxSheetPixels = 256 << 20;

void Paste(const image::Png& picture, int left, int top, int width, std::vector<uint8_t>* rgb) {
  for (int row = 0; row < picture.height; ++row) {
    const auto from = picture.rgb.begin() + ptrdiff_t{row} * picture.width * 3;
    const auto to = rgb->begin() + (ptrdiff_t{top + row} * width + left) * 3;
    std::copy(from, from + ptrdiff_t{picture.width} * 3, to);
  }
}

}  // namespace

StatusOr<std::string> MakeSheet(const std::vector<std::string>& pngs) {
  if (pngs.empty()) return InvalidArgument("a sheet needs at least one picture");
  std::vector<image::Png> pictures;
  int cell_width = 0, cell_height = 0;
  for (const std::string& png : pngs) {
    ASSIGN_OR_RETURN(image::Png picture, image::DecodePng(png, kMaxPixels));
    cell_width = std::max(cell_width, picture.width + kGap);
    cell_height = std::max(cell_height, picture.height + kGap);
    pictures.push_back(std::move(picture));
  }
  const int count = static_cast<int>(pictures.size());
  const int columns = static_cast<int>(std::ceil(std::sqrt(count)));
  const int rows = (count + columns - 1) / columns;
  const uint64_t width = uint64_t{1} * columns * cell_width + kGap;
  const uint64_t height = uint64_t{1} * rows * cell_height + kGap;
  if (width * height > kMaxSheetPixels) {
    return InvalidArgument("the sheet would have " + std::to_string(width * height) +
                           " pixels; the limit is " + std::to_string(kMaxSheetPixels));
  }
  std::vector<uint8_t> rgb(width * height * 3, 255);
  for (int i = 0; i < count; ++i) {
    Paste(pictures[i], kGap + i % columns * cell_width, kGap + i / columns * cell_height,
          static_cast<int>(width), &rgb);
  }
  return image::EncodePng(static_cast<int>(width), static_cast<int>(height), rgb, {});
}

}  // namespace phasor::cli
