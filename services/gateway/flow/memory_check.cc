#include "services/gateway/flow/memory_check.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "common/base/byte_size.h"
#include "common/rpc/spec_convert.h"

namespace phasor::gateway {
namespace {

// A prediction may be above what a run takes by so much: what lies between is tried.
constexpr double kMostAbove = 1.15;

const v1::ModelNeed* FindNeed(const v1::WorkerStats& worker, const std::string& model) {
  for (const v1::ModelNeed& need : worker.needs()) {
    if (need.model() == model) return &need;
  }
  return nullptr;
}

bool Holds(const v1::WorkerStats& worker, int64_t need) {
  return static_cast<double>(need) <= static_cast<double>(worker.memory_bound_bytes()) * kMostAbove;
}

// The side of the largest square that the worker is expected to hold; 0: not even the smallest.
int LargestSide(const v1::WorkerStats& worker, const v1::ModelNeed& need, bool guidance,
                int size_multiple) {
  int side = 0;
  const int most = static_cast<int>(std::sqrt(need.at(need.at_size() - 1).pixels()));
  for (int next = size_multiple; next <= most; next += size_multiple) {
    if (int64_t{next} * next < need.at(0).pixels()) continue;
    if (*NeedAt(need, int64_t{next} * next, guidance) > worker.memory_bound_bytes()) break;
    side = next;
  }
  return side;
}

Status CheckStrategy(const job::GenerateSpec& spec, const std::vector<v1::WorkerStats>& workers) {
  const v1::Strategy wanted = rpc::StrategyOf(spec.strategy).value_or(v1::AUTO);
  if (wanted == v1::AUTO) return OkStatus();
  std::string known = v1::Strategy_Name(v1::AUTO);
  for (const v1::WorkerStats& worker : workers) {
    if (worker.strategies_size() == 0) return OkStatus();
    for (const int number : worker.strategies()) {
      const auto strategy = static_cast<v1::Strategy>(number);
      if (strategy == wanted) return OkStatus();
      const std::string& name = v1::Strategy_Name(strategy);
      if (known.find(name) == std::string::npos) known.append(", ").append(name);
    }
  }
  if (workers.empty()) return OkStatus();
  return FailedPrecondition("strategy: no worker's device can do " + spec.strategy +
                            "; they can do " + known);
}

}  // namespace

std::optional<int64_t> NeedAt(const v1::ModelNeed& need, int64_t pixels, bool guidance) {
  if (need.at_size() == 0) return std::nullopt;
  const auto bytes = [&](const v1::NeedAt& at) {
    return static_cast<double>(guidance ? at.bytes_with_guidance() : at.bytes());
  };
  const auto above = std::find_if(need.at().begin(), need.at().end(),
                                  [&](const v1::NeedAt& at) { return at.pixels() >= pixels; });
  if (above == need.at().begin()) return static_cast<int64_t>(bytes(*above));
  const v1::NeedAt& below = *(above - 1);
  if (above == need.at().end()) return static_cast<int64_t>(bytes(below));
  const double share = static_cast<double>(pixels - below.pixels()) /
                       static_cast<double>(std::max<int64_t>(1, above->pixels() - below.pixels()));
  return static_cast<int64_t>(bytes(below) + share * (bytes(*above) - bytes(below)));
}

Status CheckMemory(const job::GenerateSpec& spec, int size_multiple,
                   const std::vector<v1::WorkerStats>& workers) {
  RETURN_IF_ERROR(CheckStrategy(spec, workers));
  // A smaller picture is as good, if the request says so.
  if (spec.allow_degradation || workers.empty()) return OkStatus();
  const bool guidance = spec.picture.guidance_scale > 1;
  const int64_t pixels = int64_t{spec.picture.width} * spec.picture.height;
  int64_t least = 0, most = 0;
  int side = 0;
  for (const v1::WorkerStats& worker : workers) {
    const v1::ModelNeed* need = FindNeed(worker, spec.model);
    if (need == nullptr || worker.memory_bound_bytes() <= 0) return OkStatus();
    const auto bytes = NeedAt(*need, pixels, guidance);
    if (!bytes || Holds(worker, *bytes)) return OkStatus();
    least = least == 0 ? *bytes : std::min(least, *bytes);
    most = std::max(most, worker.memory_bound_bytes());
    side = std::max(side, LargestSide(worker, *need, guidance, size_multiple));
  }
  std::string sentence = "a picture of " + std::to_string(spec.picture.width) + "x" +
                         std::to_string(spec.picture.height) + " needs at least " +
                         ByteSizeText(static_cast<uint64_t>(least)) +
                         " of memory, and the largest worker has " +
                         ByteSizeText(static_cast<uint64_t>(most)) + "; ";
  sentence += side > 0 ? "the largest square picture that fits is " + std::to_string(side) + "x" +
                             std::to_string(side)
                       : std::string("no picture of this model fits");
  return FailedPrecondition(sentence);
}

}  // namespace phasor::gateway
