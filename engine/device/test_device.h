// Where the golden suites compute: PHASOR_TEST_DEVICE ("cpu", "sim", "cuda:N") and
// PHASOR_TEST_DTYPE
// ("fp32", "bf16", "fp16"), and how much further off results may be there (docs/fidelity.md). Tests
// only.
#pragma once

#include <cstdlib>
#include <string_view>

namespace phasor::engine {

struct TestDevice {
  std::string_view name = "cpu";
  std::string_view dtype = "fp32";

  static TestDevice OfEnvironment() {
    const auto read = [](const char* variable, const char* otherwise) {
      const char* const value = std::getenv(variable);
      return std::string_view(value == nullptr ? otherwise : value);
    };
    return {read("PHASOR_TEST_DEVICE", "cpu"), read("PHASOR_TEST_DTYPE", "fp32")};
  }

  bool IsCard() const { return name.starts_with("cuda"); }
  // Tolerances of the suites are for fp32 on processors.
  double Widening() const {
    if (dtype == "bf16") return 1e4;
    if (dtype == "fp16") return 2e3;
    return IsCard() ? 10 : 1;
  }
  // Of the pixels that are to be at most 1 off.
  double PixelShare() const { return dtype == "fp32" ? 0.999 : 0; }
};

}  // namespace phasor::engine
