#include "services/worker/run/encode_pictures.h"

#include <utility>

#include "common/base/hash.h"
#include "engine/api/result_png.h"

namespace phasor::worker {

StatusOr<std::vector<Picture>> EncodePictures(const engine::Run& run, const PictureSpec& spec,
                                              const engine::ModelInfo& model) {
  const engine::RunReport report = run.Report();
  std::vector<Picture> pictures;
  for (const engine::Image& image : run.images()) {
    const int index = static_cast<int>(pictures.size());
    Picture picture;
    ASSIGN_OR_RETURN(picture.png, engine::ResultPng(spec, model, report, index, image));
    picture.entry = {.blob = "",
                     .sha256 = Sha256Hex(picture.png),
                     .bytes = picture.png.size(),
                     .seed = spec.seed + index,
                     .width = image.width,
                     .height = image.height};
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

}  // namespace phasor::worker
