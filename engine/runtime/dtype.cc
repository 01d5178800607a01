#include "engine/runtime/dtype.h"

#include <string_view>

#include "engine/runtime/processor.h"

namespace phasor::engine {
namespace {

struct Dtype {
  std::string_view name;
  at::ScalarType type;
  std::string_view needs;
};

constexpr Dtype kDtypes[] = {{"fp32", at::kFloat, ""},
                             {"bf16", at::kBFloat16, "AVX512-BF16 or AMX"},
                             {"fp16", at::kHalf, "AVX512-FP16"}};

}  // namespace

StatusOr<at::ScalarType> ParseDtype(const std::string& name) {
  std::string known;
  for (const Dtype& dtype : kDtypes) {
    if (name != dtype.name) {
      known.append(known.empty() ? "" : ", ").append(dtype.name);
      continue;
    }
    if (Multiplies(dtype.type)) return dtype.type;
    return InvalidArgument("dtype: " + name + " needs a processor with " +
                           std::string(dtype.needs) + "; this one is " + DescribeProcessor());
  }
  return InvalidArgument("dtype: must be one of " + known + ", got " + name);
}

}  // namespace phasor::engine
