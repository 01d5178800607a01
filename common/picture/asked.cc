#include "common/picture/asked.h"

#include <type_traits>

#include "common/base/number.h"

namespace phasor::picture {
namespace {

// False for what no text can give.
StatusOr<bool> ReadInto(const std::string& text, std::string& value) {
  value = text;
  return true;
}
StatusOr<bool> ReadInto(const std::string& text, double& value) {
  ASSIGN_OR_RETURN(value, ParseNumber(text, std::numeric_limits<double>::lowest(),
                                      std::numeric_limits<double>::max()));
  return true;
}
template <typename Whole>
requires std::is_integral_v<Whole> StatusOr<bool> ReadInto(const std::string& text, Whole& value) {
  ASSIGN_OR_RETURN(value, ParseWhole<Whole>(text));
  return true;
}
template <typename Other>
StatusOr<bool> ReadInto(const std::string&, Other&) {
  return false;
}

template <typename T>
std::string TextOfValue(const T& value) {
  if constexpr (std::is_same_v<T, std::string>) return value;
  if constexpr (std::is_integral_v<T>) return std::to_string(value);
  if constexpr (std::is_floating_point_v<T>) return NumberText(value);
  return "";
}

}  // namespace

std::string TextOf(const Parameter<PictureSpec>& parameter, const PictureSpec& spec) {
  return WithValue(parameter, spec, [](const auto& value) { return TextOfValue(value); });
}

Status Asked::Read(const Parameter<PictureSpec>& parameter, const std::string& text) {
  ASSIGN_OR_RETURN(const bool read, WithValue(parameter, values_,
                                              [&](auto& value) { return ReadInto(text, value); }));
  if (!read) return FailedPrecondition("can't be given as text");
  given_.insert(parameter.name);
  return OkStatus();
}

Status Asked::Read(std::string_view name, const std::string& text) {
  const Parameter<PictureSpec>* const parameter = FindParameter(name);
  if (parameter == nullptr) return InvalidArgument("is not known");
  return Read(*parameter, text);
}

void Asked::Take(const Parameter<PictureSpec>& parameter, const PictureSpec& from) {
  Copy(parameter, from, &values_);
  given_.insert(parameter.name);
}

void Asked::Override(const Asked& other) {
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (other.Has(parameter.name)) Take(parameter, other.values_);
  }
}

PictureSpec Complete(const Asked& asked, const PictureSpec& defaults,
                     const std::function<uint64_t()>& draw_seed) {
  PictureSpec spec = asked.values();
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (asked.Has(parameter.name)) continue;
    if (parameter.origin == Default::kCard) Copy(parameter, defaults, &spec);
    if (parameter.origin != Default::kDrawn) continue;
    WithValue(parameter, spec, [&](auto& value) {
      if constexpr (std::is_same_v<std::decay_t<decltype(value)>, uint64_t>) value = draw_seed();
    });
  }
  return spec;
}

Status CheckAvailable(const Asked& asked) {
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (!parameter.planned || !asked.Has(parameter.name)) continue;
    return Unimplemented(std::string(parameter.name).append(" is not implemented yet"));
  }
  return OkStatus();
}

}  // namespace phasor::picture
