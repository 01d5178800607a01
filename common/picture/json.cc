#include "common/picture/json.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "common/base/hash.h"

namespace phasor::picture {
namespace {

using Json = nlohmann::ordered_json;

template <typename Owner>
Json ObjectOf(const Owner& owner);

Json JsonOf(const std::string& value) { return value; }
template <typename Number>
requires std::is_arithmetic_v<Number> Json JsonOf(Number value) { return value; }
Json JsonOf(const StoredImage& image) { return {{"sha256", image.sha256}, {"blob", image.blob}}; }
template <typename Item>
Json JsonOf(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(ObjectOf(item));
  return list;
}

template <typename Owner>
Json ObjectOf(const Owner& owner) {
  Json object = Json::object();
  for (const Parameter<Owner>& parameter : TableOf<Owner>()) {
    if (parameter.planned && SameValue(parameter, owner, Owner{})) continue;
    object[std::string(parameter.name)] =
        WithValue(parameter, owner, [](const auto& value) { return JsonOf(value); });
  }
  return object;
}

// Texts in a list or on their own become their digests.
void HideTexts(nlohmann::json* value) {
  if (value->is_string()) *value = Sha256Hex(value->get_ref<const std::string&>());
  if (!value->is_structured()) return;
  for (auto& item : *value) HideTexts(&item);
}

Status Wrong(const std::string& field, const std::string& what) {
  return InvalidArgument(field + " " + what);
}

template <typename Owner>
Status ReadObject(const nlohmann::json& object, const std::string& prefix, Owner* owner);

Status ReadValue(const nlohmann::json& json, const std::string& field, std::string* value) {
  if (!json.is_string()) return Wrong(field, "must be a text");
  *value = json.get<std::string>();
  return OkStatus();
}
Status ReadValue(const nlohmann::json& json, const std::string& field, double* value) {
  if (!json.is_number()) return Wrong(field, "must be a number");
  *value = json.get<double>();
  return OkStatus();
}
template <typename Whole>
requires std::is_integral_v<Whole> Status ReadValue(const nlohmann::json& json,
                                                    const std::string& field, Whole* value) {
  using Bounds = std::numeric_limits<Whole>;
  const bool fits = json.is_number_unsigned()
                        ? std::in_range<Whole>(json.get<uint64_t>())
                        : json.is_number_integer() && std::in_range<Whole>(json.get<int64_t>());
  if (!fits) {
    return Wrong(field, "must be a whole number between " + std::to_string(Bounds::min()) +
                            " and " + std::to_string(Bounds::max()));
  }
  *value = json.get<Whole>();
  return OkStatus();
}
Status ReadValue(const nlohmann::json& json, const std::string& field, StoredImage* image) {
  if (!json.is_object()) return Wrong(field, "must have a sha256 and a blob");
  for (const auto& [key, value] : json.items()) {
    if (key != "sha256" && key != "blob") return Wrong(field + "." + key, "is not known");
    RETURN_IF_ERROR(
        ReadValue(value, field + "." + key, key == "blob" ? &image->blob : &image->sha256));
  }
  return OkStatus();
}
template <typename Item>
Status ReadValue(const nlohmann::json& json, const std::string& field, std::vector<Item>* items) {
  constexpr size_t kMaxItems = 1024;
  if (!json.is_array() || json.size() > kMaxItems) return Wrong(field, "must be a list");
  for (const nlohmann::json& item : json) {
    const std::string place = field + "[" + std::to_string(items->size()) + "]";
    if (!item.is_object()) return Wrong(place, "must be an object");
    items->emplace_back();
    RETURN_IF_ERROR(ReadObject(item, place + ".", &items->back()));
  }
  return OkStatus();
}

template <typename Owner>
Status ReadObject(const nlohmann::json& object, const std::string& prefix, Owner* owner) {
  for (const auto& [key, json] : object.items()) {
    const std::string field = prefix + key;
    bool known = false;
    for (const Parameter<Owner>& parameter : TableOf<Owner>()) {
      if (parameter.name != key) continue;
      known = true;
      RETURN_IF_ERROR(WithValue(parameter, *owner, [&, &json = json](auto& value) {
        return ReadValue(json, field, &value);
      }));
    }
    if (!known) return Wrong(field, "is not known to this version");
  }
  return OkStatus();
}

}  // namespace

Json ToJson(const PictureSpec& spec) { return ObjectOf(spec); }

nlohmann::json FingerprintJson(const PictureSpec& spec) {
  nlohmann::json texts = nlohmann::json::object();
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (!parameter.decides_bytes || SameValue(parameter, spec, PictureSpec{})) continue;
    nlohmann::json value =
        WithValue(parameter, spec, [](const auto& value) { return JsonOf(value); });
    HideTexts(&value);
    texts[std::string(parameter.name)] = std::move(value);
  }
  return texts;
}

StatusOr<Asked> FromJson(const nlohmann::json& object) {
  if (!object.is_object()) return InvalidArgument("the request must be an object");
  PictureSpec spec;
  RETURN_IF_ERROR(ReadObject(object, "", &spec));
  Asked asked;
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (object.contains(parameter.name)) asked.Take(parameter, spec);
  }
  return asked;
}

}  // namespace phasor::picture
