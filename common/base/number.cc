#include "common/base/number.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace phasor {
namespace {

std::string Shortened(std::string_view text) {
  constexpr size_t kMaxShown = 40;
  return std::string(text.substr(0, kMaxShown)) + (text.size() > kMaxShown ? "..." : "");
}

Status OutOfBounds(const std::string& low, const std::string& high, std::string_view text) {
  return InvalidArgument("must be between " + low + " and " + high + ", got " + Shortened(text));
}

// from_chars knows no plus sign, which people write.
std::string_view WithoutPlus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

bool IsWhole(std::string_view text) {
  text = WithoutPlus(text);
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

template <typename T>
StatusOr<T> Whole(std::string_view text, T low, T high) {
  if (!IsWhole(text))
    return InvalidArgument("must be a whole number, got '" + Shortened(text) + "'");
  const std::string_view digits = WithoutPlus(text);
  T value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  // Whole, but not read: a sign that T has no room for, or too many digits.
  if (error != std::errc() || end != digits.data() + digits.size() || value < low || value > high) {
    return OutOfBounds(std::to_string(low), std::to_string(high), text);
  }
  return value;
}

}  // namespace

StatusOr<int64_t> ParseSigned(std::string_view text, int64_t low, int64_t high) {
  return Whole<int64_t>(text, low, high);
}

StatusOr<uint64_t> ParseUnsigned(std::string_view text, uint64_t low, uint64_t high) {
  return Whole<uint64_t>(text, low, high);
}

StatusOr<double> ParseNumber(std::string_view text, double low, double high) {
  const std::string_view digits = WithoutPlus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool read = error == std::errc() && end == digits.data() + digits.size();
  if (!read || !std::isfinite(value)) {
    return InvalidArgument("must be a number, got '" + Shortened(text) + "'");
  }
  if (value < low || value > high) return OutOfBounds(NumberText(low), NumberText(high), text);
  return value;
}

std::string NumberText(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return error == std::errc() ? std::string(text, end) : std::to_string(value);
}

}  // namespace phasor
