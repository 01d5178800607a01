#include "engine/cuda/gpu_policy.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace phasor::engine {
namespace {

constexpr int kThousand = 1000;  // CUDA's versions are 1000 x major + 10 x minor
constexpr int kLargestIndex = 127;

// Tensor cores for fp16 from 7.0 on; bf16 from 8.0 on.
constexpr int kHalfFrom = 7, kBfloatFrom = 8;

// NVIDIA's "Xid Errors", those that its own device plugin for Kubernetes holds against the
// application and not the card: a graphics exception, a page fault, a stopped or cleaned-up
// channel, a refused debugger, a video processor's exception.
constexpr uint64_t kApplicationXids[] = {13, 31, 43, 45, 68, 109};

std::string DriverText(const DriverReport& report) {
  const std::string cuda = CudaVersionText(report.cuda_version);
  if (report.driver.empty()) return absl::StrCat("the NVIDIA driver runs CUDA up to ", cuda);
  return absl::StrCat("the NVIDIA driver ", report.driver, " runs CUDA up to ", cuda);
}

}  // namespace

StatusOr<std::optional<DeviceChoice>> ParseCudaDevice(const std::string& name) {
  if (name == "auto") return DeviceChoice{.automatic = true};
  if (name == "cuda") return DeviceChoice{};
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  DeviceChoice choice;
  const char* const begin = name.data() + kPrefix.size();
  const char* const end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(begin, end, choice.index);
  if (error != std::errc() || stopped != end || choice.index < 0 || choice.index > kLargestIndex) {
    return InvalidArgument(
        absl::StrCat("must be cuda:N with N from 0 to ", kLargestIndex, ", got ", name));
  }
  return choice;
}

Status CheckDeviceName(const std::string& name) {
  if (name == "cpu" || name == "sim") return OkStatus();
  ASSIGN_OR_RETURN(const auto card, ParseCudaDevice(name));
  if (card) return OkStatus();
  return InvalidArgument("must be cpu, sim, cuda:N or auto, got '" + name + "'");
}

bool IsBoundable(const std::string& device) {
  return device == "sim" || device == "auto" || device.starts_with("cuda");
}

std::string CapabilityText(const Gpu& gpu) { return absl::StrCat(gpu.major, ".", gpu.minor); }

std::string CudaVersionText(int version) {
  return absl::StrCat(version / kThousand, ".", version % kThousand / 10);
}

Status CheckDriver(const DriverReport& report) {
  if (report.cuda_version >= kBuiltForCuda) return OkStatus();
  return FailedPrecondition(absl::StrCat(DriverText(report), ", this program needs ",
                                         CudaVersionText(kBuiltForCuda),
                                         " or newer: install a newer driver"));
}

std::string NewerDriver(const DriverReport& report) {
  if (report.cuda_version / kThousand <= kBuiltForCuda / kThousand) return "";
  return absl::StrCat(DriverText(report), ", newer than ", CudaVersionText(kBuiltForCuda),
                      " that this program was built for");
}

StatusOr<Gpu> ChooseGpu(const DriverReport& report, int index) {
  std::string known;
  for (const Gpu& gpu : report.gpus) {
    if (gpu.index == index) return gpu;
    absl::StrAppend(&known, known.empty() ? "" : ", ", "cuda:", gpu.index, " (", gpu.name, ")");
  }
  return NotFound(absl::StrCat("there is no card ", index, "; the driver shows ",
                               known.empty() ? std::string("none") : known));
}

StatusOr<std::string> ChooseDtype(const std::string& wanted, const Gpu& gpu) {
  if (wanted == "auto") return std::string(gpu.major >= kHalfFrom ? "fp16" : "fp32");
  if (wanted == "fp32") return wanted;
  if (wanted != "fp16" && wanted != "bf16") {
    return InvalidArgument("dtype: must be one of auto, fp32, bf16, fp16, got " + wanted);
  }
  const int needs = wanted == "bf16" ? kBfloatFrom : kHalfFrom;
  if (gpu.major >= needs) return wanted;
  return InvalidArgument(absl::StrCat("dtype: ", wanted, " needs a card of compute capability ",
                                      needs, ".0 or more; ", gpu.name, " has ",
                                      CapabilityText(gpu)));
}

Status JudgeHealth(const GpuHealth& before, const GpuHealth& now) {
  for (const uint64_t xid : now.xids) {
    const bool application = std::find(std::begin(kApplicationXids), std::end(kApplicationXids),
                                       xid) != std::end(kApplicationXids);
    if (!application) {
      return Unavailable(absl::StrCat("the card reported error Xid ", xid,
                                      ", which is the hardware's or the driver's"));
    }
  }
  if (before.uncorrected_ecc_errors >= 0 &&
      now.uncorrected_ecc_errors > before.uncorrected_ecc_errors) {
    return Unavailable(absl::StrCat("the card's memory had ",
                                    now.uncorrected_ecc_errors - before.uncorrected_ecc_errors,
                                    " errors that can't be corrected since the worker began"));
  }
  return OkStatus();
}

}  // namespace phasor::engine
