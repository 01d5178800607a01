// The one declaration of each request parameter. From these tables come the checks, the conversion
// from and to protos and JSON, the flags of the programs, the text that fingerprints are made of,
// the page of Models.Get and docs/parameters.md. To add a parameter see docs/development.md.
// Immutable tables, thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "common/picture/limits.h"
#include "common/picture/picture_spec.h"

namespace phasor::picture {

// How large or small a number may be: always the same, or as the model's card says.
class Bound {
 public:
  constexpr Bound() noexcept {}  // none
  constexpr Bound(int fixed) : value_(static_cast<double>(fixed)) {}
  constexpr Bound(double fixed) : value_(fixed) {}
  constexpr Bound(int Limits::*limit) : value_(LimitField(limit)) {}
  constexpr Bound(double Limits::*limit) : value_(LimitField(limit)) {}

  std::optional<double> In(const Limits& limits) const;
  // The name of the card's limit; empty where it is fixed or there is none.
  std::string_view limit() const;

 private:
  std::variant<std::monostate, double, LimitField> value_;
};

enum class Default {
  kFixed,  // the field's value in PictureSpec{}
  kCard,   // the model card may state another
  kDrawn,  // a random one for each request
};

template <typename Owner>
using Field =
    std::variant<std::string Owner::*, int Owner::*, uint64_t Owner::*, double Owner::*,
                 StoredImage Owner::*, std::vector<Lora> Owner::*, std::vector<Control> Owner::*>;

template <typename Owner>
struct Parameter {
  std::string_view name;  // in protos, JSON and messages; with dashes, a flag's
  Field<Owner> field;
  Default origin = Default::kFixed;
  Bound low = {};               // of a number
  Bound high = {};              // of a number; of a text in bytes; of a list in items
  Bound multiple = {};          // of a number
  std::string_view words = {};  // of a text: one of these, with spaces between, unless it is empty
  std::string_view short_flag = {};  // "guidance" for --guidance beside --guidance-scale
  std::string_view what = {};        // a phrase of help
  bool decides_bytes = true;         // so it enters the fingerprint
  bool planned = false;              // declared, and refused until something draws it
};

// What a request has, in the order of help and pages.
const std::vector<Parameter<PictureSpec>>& Parameters();
// What items of lists have.
const std::vector<Parameter<Lora>>& LoraParameters();
const std::vector<Parameter<Control>>& ControlParameters();

template <typename Owner>
const std::vector<Parameter<Owner>>& TableOf() {
  if constexpr (std::is_same_v<Owner, Lora>) return LoraParameters();
  if constexpr (std::is_same_v<Owner, Control>) return ControlParameters();
  if constexpr (std::is_same_v<Owner, PictureSpec>) return Parameters();
}

// "a b" is a and b.
std::vector<std::string_view> Split(std::string_view words);

// Null if there is none of this name.
const Parameter<PictureSpec>* FindParameter(std::string_view name);

// Calls `f` with a reference to the parameter's value.
template <typename Owner, typename F>
decltype(auto) WithValue(const Parameter<Owner>& parameter, Owner& owner, F&& f) {
  return std::visit([&](auto member) -> decltype(auto) { return f(owner.*member); },
                    parameter.field);
}
template <typename Owner, typename F>
decltype(auto) WithValue(const Parameter<Owner>& parameter, const Owner& owner, F&& f) {
  return std::visit([&](auto member) -> decltype(auto) { return f(owner.*member); },
                    parameter.field);
}

// Makes the value in `to` that of `from`.
template <typename Owner>
void Copy(const Parameter<Owner>& parameter, const Owner& from, Owner* to) {
  std::visit([&](auto member) { to->*member = from.*member; }, parameter.field);
}

template <typename Owner>
bool SameValue(const Parameter<Owner>& parameter, const Owner& a, const Owner& b) {
  return std::visit([&](auto member) { return a.*member == b.*member; }, parameter.field);
}

}  // namespace phasor::picture
