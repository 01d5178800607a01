#include "engine/api/result_png.h"

#include "common/image/generation_info.h"
#include "common/image/png.h"
#include "engine/memory/strategy.h"

namespace phasor::engine {
namespace {

// Of "NF4_QUANTIZED+CPU_OFFLOAD" the part that decides the picture; empty: it does not.
std::string FormName(const std::string& strategy) {
  const auto ran = ParseStrategy(strategy);
  if (!ran.ok() || ran->form == WeightForm::kPlain) return "";
  return NameOf(Strategy::kFull, ran->form);
}

}  // namespace

StatusOr<std::string> ResultPng(const PictureSpec& spec, const ModelInfo& model,
                                const RunReport& report, int index, const Image& image) {
  image::GenerationInfo info;
  info.picture = spec;
  info.picture.images = 1;
  info.picture.seed = spec.seed + index;
  // As it ran, whatever was asked for.
  info.picture.width = image.width;
  info.picture.height = image.height;
  info.picture.eta = report.eta;
  info.picture.scheduler = report.scheduler;
  info.karras_sigmas = report.karras_sigmas;
  info.model = model.name;
  info.model_digest = model.digest;
  info.weights = FormName(report.strategy);
  if (static_cast<size_t>(index) < report.picture_fingerprints.size()) {
    info.fingerprint = report.picture_fingerprints[index];
  }
  return image::EncodePng(image.width, image.height, image.rgb, image::TextsOf(info));
}

}  // namespace phasor::engine
