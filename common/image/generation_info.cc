#include "common/image/generation_info.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/image/a1111_parameters.h"
#include "common/picture/json.h"

namespace phasor::image {
namespace {

constexpr char kKeyword[] = "phasor";

// Takes the value out of the object, so that what is left are parameters.
template <typename T>
bool Remove(const char* key, nlohmann::json* object, T* value) {
  const auto found = object->find(key);
  if (found == object->end()) return true;
  try {
    *value = found->get<T>();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  object->erase(found);
  return true;
}

}  // namespace

std::string PhasorJson(const GenerationInfo& info) {
  nlohmann::json json = picture::ToJson(info.picture);
  json.erase("images");  // one file holds one
  json["karras_sigmas"] = info.karras_sigmas;
  json["model"] = info.model;
  json["model_digest"] = info.model_digest;
  if (!info.weights.empty()) json["weights"] = info.weights;
  if (!info.fingerprint.empty()) json["fingerprint"] = info.fingerprint;
  constexpr bool kAscii = true;
  return json.dump(-1, ' ', kAscii, nlohmann::json::error_handler_t::replace);
}

std::vector<PngText> TextsOf(const GenerationInfo& info) {
  return {{"parameters", A1111Parameters(info)}, {kKeyword, PhasorJson(info)}};
}

StatusOr<GenerationInfo> ReadGenerationInfo(const std::vector<PngText>& texts) {
  const auto text = std::find_if(texts.begin(), texts.end(),
                                 [](const PngText& one) { return one.keyword == kKeyword; });
  if (text == texts.end()) return NotFound("the picture does not say how it was made");
  const std::string what = "the picture's text chunk: ";
  nlohmann::json json = nlohmann::json::parse(text->text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return InvalidArgument(what + "is no JSON object");
  GenerationInfo info;
  if (!Remove("karras_sigmas", &json, &info.karras_sigmas) ||
      !Remove("model", &json, &info.model) || !Remove("model_digest", &json, &info.model_digest) ||
      !Remove("weights", &json, &info.weights) ||
      !Remove("fingerprint", &json, &info.fingerprint)) {
    return InvalidArgument(what + "the model, its weights' form or the fingerprint is no text");
  }
  const auto asked = picture::FromJson(json);
  if (!asked.ok()) return Annotate(asked.status(), "the picture's text chunk");
  info.picture = asked->values();
  return info;
}

}  // namespace phasor::image
