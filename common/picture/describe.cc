#include "common/picture/describe.h"

#include <algorithm>
#include <type_traits>

#include "common/base/number.h"

namespace phasor::picture {
namespace {

template <typename T>
std::string TypeOf() {
  if constexpr (std::is_same_v<T, std::string>) return "text";
  if constexpr (std::is_integral_v<T>) return "whole";
  if constexpr (std::is_floating_point_v<T>) return "number";
  if constexpr (std::is_same_v<T, StoredImage>) return "image";
  return "list";
}

std::string BoundText(const Bound& bound) {
  if (!bound.limit().empty()) return "`" + std::string(bound.limit()) + "`";
  const auto fixed = bound.In(Limits{});
  return fixed ? NumberText(*fixed) : "";
}

std::string RangeText(const Parameter<PictureSpec>& parameter, const std::string& type) {
  const std::string low = BoundText(parameter.low), high = BoundText(parameter.high);
  std::string text;
  if (!low.empty() && !high.empty()) text = low + " to " + high;
  if (low.empty() && !high.empty()) {
    text = "at most " + high + (type == "text" ? " bytes" : " items");
  }
  if (const std::string multiple = BoundText(parameter.multiple); !multiple.empty()) {
    text += ", a multiple of " + multiple;
  }
  for (const std::string_view word : Split(parameter.words)) {
    text.append(text.empty() ? "" : ", ").append("`").append(word).append("`");
  }
  return text;
}

std::string OriginText(const Parameter<PictureSpec>& parameter, const std::string& fallback) {
  if (parameter.origin == Default::kDrawn) return "drawn, and told";
  const std::string value = fallback.empty() ? "none" : "`" + fallback + "`";
  return parameter.origin == Default::kCard ? "the card's, else " + value : value;
}

}  // namespace

std::string FlagOf(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::vector<Description> Describe(const PictureSpec& defaults, const Limits& limits) {
  std::vector<Description> descriptions;
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    Description one;
    one.name = parameter.name;
    WithValue(parameter, defaults, [&](const auto& value) {
      using T = std::decay_t<decltype(value)>;
      one.type = TypeOf<T>();
    });
    if (parameter.origin != Default::kDrawn) one.fallback = TextOf(parameter, defaults);
    if (one.type != "image" && one.type != "list" && !parameter.planned) {
      one.flag = FlagOf(parameter.short_flag.empty() ? parameter.name : parameter.short_flag);
    }
    one.low = parameter.low.In(limits);
    one.high = parameter.high.In(limits);
    one.multiple = parameter.multiple.In(limits);
    for (const std::string_view word : Split(parameter.words)) one.words.emplace_back(word);
    one.what = parameter.what;
    one.planned = parameter.planned;
    descriptions.push_back(std::move(one));
  }
  return descriptions;
}

std::string ParametersPage() {
  std::string page =
      "# Parameters of a request\n\n"
      "Everything that decides what is drawn. The names are those of `phasor.v1.GenerateRequest`, "
      "of the JSON\nin reports and in pictures, and of `defaults` in a model's `phasor.yaml`; "
      "a name in the column\n*range* is a limit, which `limits` in that file may set and "
      "`Models.Get` shows. This page is made from the\ntable in "
      "`common/picture/parameters.cc`, and a test compares it.\n\n"
      "| Name | Flag | Type | Default | Range | |\n|---|---|---|---|---|---|\n";
  for (const Description& one : Describe(PictureSpec{}, Limits{})) {
    const Parameter<PictureSpec>& parameter = *FindParameter(one.name);
    page += "| `" + one.name + "` | " + (one.flag.empty() ? "" : "`" + one.flag + "`") + " | " +
            one.type + " | " + OriginText(parameter, one.fallback) + " | " +
            RangeText(parameter, one.type) + " | " + one.what +
            (one.planned ? "; not drawn yet, refused with UNIMPLEMENTED" : "") + " |\n";
  }
  page += "\n## Limits\n\n| Name | Without a word in the card | A card may say |\n|---|---|---|\n";
  for (const Limit& limit : LimitTable()) {
    page += "| `" + std::string(limit.name) + "` | " + NumberText(ValueOf({}, limit.field)) +
            " | " + NumberText(limit.low) + " to " + NumberText(limit.high) + " |\n";
  }
  return page;
}

}  // namespace phasor::picture
