#include "services/cli/commands/compare.h"

#include <algorithm>
#include <cstdlib>

#include "common/picture/json.h"

namespace phasor::cli {
namespace {

void ComparePixels(const image::Png& was, const image::Png& is, Comparison* result) {
  result->pixels = static_cast<uint64_t>(was.width) * was.height;
  if (was.width != is.width || was.height != is.height) {
    result->other_pixels = result->pixels;
    result->largest = 255;
    return;
  }
  for (size_t pixel = 0; pixel < was.rgb.size(); pixel += 3) {
    int largest = 0;
    for (size_t channel = pixel; channel < pixel + 3; ++channel) {
      largest = std::max(largest, std::abs(was.rgb[channel] - is.rgb[channel]));
    }
    result->other_pixels += largest > 0 ? 1 : 0;
    result->largest = std::max(result->largest, largest);
  }
}

// Enough of a digest to tell it from another.
std::string Short(const std::string& digest) {
  return digest.empty() ? "none" : digest.substr(0, 12);
}

void CompareParameters(const PictureSpec& was, const PictureSpec& is,
                       std::vector<std::string>* reasons) {
  const auto shown = [](const nlohmann::ordered_json& json, const std::string& name) {
    return json.value(name, nlohmann::ordered_json())
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  const auto before = picture::ToJson(was), after = picture::ToJson(is);
  for (const auto& parameter : picture::Parameters()) {
    if (picture::SameValue(parameter, was, is)) continue;
    const std::string name(parameter.name);
    reasons->push_back(name + " was " + shown(before, name) + " and is " + shown(after, name));
  }
}

std::vector<std::string> Reasons(const image::GenerationInfo& was,
                                 const image::GenerationInfo& is) {
  std::vector<std::string> reasons;
  if (was.model_digest != is.model_digest) {
    reasons.push_back("the model is another: its digest was " + Short(was.model_digest) +
                      "... and is " + Short(is.model_digest) + "...");
  }
  CompareParameters(was.picture, is.picture, &reasons);
  if (was.karras_sigmas != is.karras_sigmas) {
    reasons.push_back(std::string("Karras' sigmas were ") + (was.karras_sigmas ? "on" : "off") +
                      " and are " + (is.karras_sigmas ? "on" : "off"));
  }
  if (was.model != is.model) {
    reasons.push_back("the model's name was " + was.model + " and is " + is.model);
  }
  if (was.fingerprint.empty()) {
    reasons.emplace_back("the picture has no fingerprint: an earlier version drew it");
  } else if (was.fingerprint != is.fingerprint && reasons.empty()) {
    reasons.emplace_back(
        "the fingerprint is another: other libraries, another processor, other threads or given "
        "noise");
  }
  return reasons;
}

}  // namespace

Comparison Compare(const DrawnPicture& was, const DrawnPicture& is) {
  Comparison result;
  result.same_bytes = was.file == is.file;
  ComparePixels(was.png, is.png, &result);
  result.same_pixels = result.other_pixels == 0;
  if (result.same_bytes) return result;
  result.reasons = Reasons(was.info, is.info);
  if (!result.reasons.empty()) return result;
  if (result.same_pixels) {
    result.reasons.emplace_back("the file was written or changed by something else");
  } else {
    result.reasons.emplace_back(
        "the picture was changed after it was drawn: everything that decides its pixels is the "
        "same");
  }
  return result;
}

}  // namespace phasor::cli
