#include "services/cli/draw/from_picture.h"

#include <utility>

#include "common/base/user_file.h"
#include "engine/api/schedulers.h"

namespace phasor::cli {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 30;
constexpr uint64_t kMaxPixels = uint64_t{1} << 28;  // 16384 x 16384

}  // namespace

StatusOr<DrawnPicture> ReadPicture(const std::string& path) {
  ASSIGN_OR_RETURN(std::string file, ReadUserBytes(path, kMaxBytes));
  auto picture = ParsePicture(std::move(file));
  if (!picture.ok()) return InvalidArgument(path + ": " + std::string(Message(picture.status())));
  return picture;
}

StatusOr<DrawnPicture> ParsePicture(std::string file) {
  DrawnPicture picture;
  picture.file = std::move(file);
  ASSIGN_OR_RETURN(picture.png, image::DecodePng(picture.file, kMaxPixels));
  ASSIGN_OR_RETURN(picture.info, image::ReadGenerationInfo(picture.png.texts));
  return picture;
}

picture::Asked AskedOf(const image::GenerationInfo& info) {
  PictureSpec spec = info.picture;
  spec.scheduler = engine::NameOf(spec.scheduler, info.karras_sigmas);
  picture::Asked asked;
  for (const auto& parameter : picture::Parameters()) {
    if (!parameter.planned || !picture::SameValue(parameter, spec, PictureSpec{})) {
      asked.Take(parameter, spec);
    }
  }
  return asked;
}

}  // namespace phasor::cli
