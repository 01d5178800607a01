#include "engine/cuda/driver.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/cuda/library.h"
#include "engine/cuda/nvml.h"

namespace phasor::engine {
namespace {

// Of the CUDA driver API (cuda.h), which is stable.
constexpr int kSuccess = 0, kNoDevice = 100;
constexpr int kMajor = 75, kMinor = 76;  // attributes: compute capability

struct DriverFunctions {
  int (*init)(unsigned) = nullptr;
  int (*version)(int*) = nullptr;
  int (*count)(int*) = nullptr;
  int (*get)(int*, int) = nullptr;
  int (*name)(char*, int, int) = nullptr;
  int (*memory)(size_t*, int) = nullptr;
  int (*attribute)(int*, int, int) = nullptr;
  int (*bus_id)(char*, int, int) = nullptr;
  int (*error)(int, const char**) = nullptr;

  bool complete() const {
    return init != nullptr && version != nullptr && count != nullptr && get != nullptr &&
           name != nullptr && memory != nullptr && attribute != nullptr && bus_id != nullptr;
  }
};

DriverFunctions FunctionsOf(const Library& library) {
  return {.init = library.Find<int (*)(unsigned)>("cuInit"),
          .version = library.Find<int (*)(int*)>("cuDriverGetVersion"),
          .count = library.Find<int (*)(int*)>("cuDeviceGetCount"),
          .get = library.Find<int (*)(int*, int)>("cuDeviceGet"),
          .name = library.Find<int (*)(char*, int, int)>("cuDeviceGetName"),
          .memory = library.Find<int (*)(size_t*, int)>("cuDeviceTotalMem_v2"),
          .attribute = library.Find<int (*)(int*, int, int)>("cuDeviceGetAttribute"),
          .bus_id = library.Find<int (*)(char*, int, int)>("cuDeviceGetPCIBusId"),
          .error = library.Find<int (*)(int, const char**)>("cuGetErrorString")};
}

std::string ErrorText(const DriverFunctions& driver, int code) {
  const char* text = nullptr;
  if (driver.error != nullptr && driver.error(code, &text) == kSuccess && text != nullptr) {
    return absl::StrCat(text, " (", code, ")");
  }
  return absl::StrCat("error ", code);
}

Gpu Describe(const DriverFunctions& driver, int index) {
  Gpu gpu{.index = index, .name = {}, .bus_id = {}};
  int device = 0;
  if (driver.get(&device, index) != kSuccess) return gpu;
  std::array<char, 256> text = {};
  constexpr int kRoom = 255;
  if (driver.name(text.data(), kRoom, device) == kSuccess) gpu.name = text.data();
  text.fill(0);
  if (driver.bus_id(text.data(), kRoom, device) == kSuccess) gpu.bus_id = text.data();
  size_t bytes = 0;
  if (driver.memory(&bytes, device) == kSuccess) gpu.memory_bytes = bytes;
  driver.attribute(&gpu.major, kMajor, device);
  driver.attribute(&gpu.minor, kMinor, device);
  return gpu;
}

}  // namespace

StatusOr<DriverReport> AskDriver() {
  const StatusOr<Library> library = Library::Open("libcuda.so.1");
  if (!library.ok()) {
    return NotFound(absl::StrCat("there is no NVIDIA driver here (", Message(library.status()),
                                 "), and this program needs one for CUDA ",
                                 CudaVersionText(kBuiltForCuda), " or newer"));
  }
  const DriverFunctions driver = FunctionsOf(*library);
  if (!driver.complete()) {
    return FailedPrecondition("libcuda.so.1 lacks functions that every NVIDIA driver has");
  }
  DriverReport report;
  report.driver = NvmlDriverVersion();
  if (const int code = driver.version(&report.cuda_version); code != kSuccess) {
    return FailedPrecondition("the NVIDIA driver does not say its version: " +
                              ErrorText(driver, code));
  }
  // One that is too old need not start.
  if (!CheckDriver(report).ok()) return report;
  if (const int code = driver.init(0); code == kNoDevice) {
    return report;
  } else if (code != kSuccess) {
    return FailedPrecondition("the NVIDIA driver does not start: " + ErrorText(driver, code));
  }
  int count = 0;
  if (const int code = driver.count(&count); code != kSuccess) {
    return FailedPrecondition("the NVIDIA driver shows no cards: " + ErrorText(driver, code));
  }
  for (int i = 0; i < count; ++i) report.gpus.push_back(Describe(driver, i));
  return report;
}

StatusOr<Gpu> FindGpu(const std::string& device) {
  const auto find = [&]() -> StatusOr<Gpu> {
    ASSIGN_OR_RETURN(const auto choice, ParseCudaDevice(device));
    if (!choice) return InvalidArgument("is no card");
    ASSIGN_OR_RETURN(const DriverReport report, AskDriver());
    RETURN_IF_ERROR(CheckDriver(report));
    return ChooseGpu(report, choice->index);
  };
  StatusOr<Gpu> found = find();
  if (!found.ok()) return Annotate(found.status(), "device " + device);
  return found;
}

}  // namespace phasor::engine
