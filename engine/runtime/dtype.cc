#include "engine/runtime/dtype.h"

#include <string_view>

#include "engine/cuda/gpu_policy.h"
#include "engine/runtime/processor.h"

namespace phasor::engine {
namespace {

struct KnownDtype {
  std::string_view name;
  at::ScalarType type;
  std::string_view needs;
};

constexpr KnownDtype kDtypes[] = {{"fp32", at::kFloat, ""},
                                  {"bf16", at::kBFloat16, "AVX512-BF16 or AMX"},
                                  {"fp16", at::kHalf, "AVX512-FP16"}};

}  // namespace

StatusOr<Dtype> ParseDtype(const std::string& name) {
  if (name == "auto") return Dtype{"fp32", at::kFloat};
  std::string known = "auto";
  for (const KnownDtype& dtype : kDtypes) {
    if (name != dtype.name) {
      known.append(", ").append(dtype.name);
      continue;
    }
    if (Multiplies(dtype.type)) return Dtype{name, dtype.type};
    return InvalidArgument("dtype: " + name + " needs a processor with " +
                           std::string(dtype.needs) + "; this one is " + DescribeProcessor());
  }
  return InvalidArgument("dtype: must be one of " + known + ", got " + name);
}

StatusOr<Dtype> ParseDtype(const std::string& name, const Gpu& card) {
  ASSIGN_OR_RETURN(const std::string chosen, ChooseDtype(name, card));
  for (const KnownDtype& dtype : kDtypes) {
    if (chosen == dtype.name) return Dtype{chosen, dtype.type};
  }
  return Internal("dtype: " + chosen);
}

}  // namespace phasor::engine
