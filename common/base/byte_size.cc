#include "common/base/byte_size.h"

#include <cmath>

#include "common/base/number.h"

namespace phasor {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};

constexpr Unit kUnits[] = {{"EiB", 0x1p60}, {"PiB", 0x1p50}, {"TiB", 0x1p40},
                           {"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}};
constexpr double kMostUnits = 1e9;

Status NoSize(std::string_view text) {
  constexpr size_t kMaxShown = 40;
  return InvalidArgument("must be a size such as 4GiB or 512MiB, got '" +
                         std::string(text.substr(0, kMaxShown)) + "'");
}

// Bytes, perhaps more than a uint64_t holds.
StatusOr<double> Bytes(std::string_view text) {
  if (text == "0") return 0;
  for (const Unit& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto number = ParseNumber(text.substr(0, text.size() - unit.name.size()), 0, kMostUnits);
    if (!number.ok()) break;
    return *number * unit.bytes;
  }
  return NoSize(text);
}

}  // namespace

StatusOr<uint64_t> ParseByteSize(std::string_view text, uint64_t low, uint64_t high) {
  ASSIGN_OR_RETURN(const double bytes, Bytes(text));
  if (bytes < static_cast<double>(low) || bytes > static_cast<double>(high)) {
    return InvalidArgument("must be between " + ByteSizeText(low) + " and " + ByteSizeText(high) +
                           ", got " + std::string(text));
  }
  return static_cast<uint64_t>(bytes);
}

std::string ByteSizeText(uint64_t bytes) {
  for (const Unit& unit : kUnits) {
    const double amount = static_cast<double>(bytes) / unit.bytes;
    if (amount < 1) continue;
    return NumberText(std::round(amount * 100) / 100).append(unit.name);
  }
  return std::to_string(bytes).append("B");
}

}  // namespace phasor
