#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "common/base/number.h"
#include "common/base/utf8.h"
#include "common/picture/asked.h"

namespace phasor::picture {
namespace {

// Collects what is wrong; each check names the field, the rule and the value.
class Checks {
 public:
  explicit Checks(const Limits& limits) : limits_(limits) {}

  template <typename Owner>
  void All(const Owner& owner, const std::string& prefix) {
    for (const Parameter<Owner>& parameter : TableOf<Owner>()) {
      const std::string field = prefix + std::string(parameter.name);
      WithValue(parameter, owner, [&](const auto& value) { Value(field, parameter, value); });
    }
  }

  std::vector<FieldViolation> Take() { return std::move(violations_); }

 private:
  template <typename Owner>
  void Value(const std::string& field, const Parameter<Owner>& rule, const std::string& text) {
    const auto most = rule.high.In(limits_);
    if (most && static_cast<double>(text.size()) > *most) {
      Add(field, "has " + std::to_string(text.size()) + " bytes; the limit is " + Shown(*most));
    } else if (!IsUtf8Text(text)) {
      Add(field, kUtf8Rule);
    } else if (!text.empty() && !rule.words.empty()) {
      OneOf(field, Split(rule.words), text);
    }
  }

  template <typename Owner, typename Number>
  requires std::is_arithmetic_v<Number>
  void Value(const std::string& field, const Parameter<Owner>& rule, Number number) {
    const double value = static_cast<double>(number);
    const auto low = rule.low.In(limits_);
    const auto high = rule.high.In(limits_);
    const bool in_bounds =
        std::isfinite(value) && (!low || value >= *low) && (!high || value <= *high);
    if (low && high && !in_bounds) {
      Add(field,
          "must be between " + Shown(*low) + " and " + Shown(*high) + ", got " + Shown(value));
    } else if (!in_bounds) {
      Add(field, "must be a finite number, got " + Shown(value));
    }
    const auto multiple = rule.multiple.In(limits_);
    if (multiple && std::fmod(value, *multiple) != 0) {
      Add(field, "must be a multiple of " + Shown(*multiple) + ", got " + Shown(value));
    }
  }

  template <typename Owner>
  void Value(const std::string& field, const Parameter<Owner>&, const StoredImage& image) {
    if (image.sha256.empty() == image.blob.empty()) return;
    Add(field, "must have both a digest and a place in the store");
  }

  template <typename Owner, typename Item>
  void Value(const std::string& field, const Parameter<Owner>& rule,
             const std::vector<Item>& items) {
    const auto most = rule.high.In(limits_);
    if (most && static_cast<double>(items.size()) > *most) {
      Add(field, "has " + std::to_string(items.size()) + " items; the limit is " + Shown(*most));
      return;
    }
    for (size_t i = 0; i < items.size(); ++i) {
      All(items[i], std::string(field).append("[").append(std::to_string(i)).append("]."));
    }
  }

  // Whole numbers without an exponent.
  static std::string Shown(double value) {
    constexpr double kExact = 1e15;
    if (std::abs(value) < kExact && value == std::floor(value)) {
      return std::to_string(static_cast<int64_t>(value));
    }
    return NumberText(value);
  }
  void OneOf(const std::string& field, const std::vector<std::string_view>& words,
             const std::string& text) {
    if (std::find(words.begin(), words.end(), text) != words.end()) return;
    std::string all;
    for (const std::string_view word : words) all.append(all.empty() ? "" : ", ").append(word);
    Add(field, "must be one of " + all + ", got '" + text + "'");
  }
  void Add(const std::string& field, const std::string& description) {
    violations_.push_back({field, description});
  }

  const Limits& limits_;
  std::vector<FieldViolation> violations_;
};

}  // namespace

std::vector<FieldViolation> Validate(const PictureSpec& spec, const Limits& limits) {
  Checks checks(limits);
  checks.All(spec, "");
  return checks.Take();
}

}  // namespace phasor::picture
