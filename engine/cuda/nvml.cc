#include "engine/cuda/nvml.h"

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/cuda/library.h"

namespace phasor::engine {
namespace {

// Of nvml.h, whose interface is stable.
constexpr int kSuccess = 0;
constexpr int kGpuSensor = 0;
constexpr int kUncorrected = 1, kVolatile = 0;
constexpr unsigned long long kXidEvents = 0x8;
constexpr int kMostEventsALook = 64;
constexpr double kMilli = 1000;

using Handle = void*;

struct Utilization {
  unsigned gpu = 0;
  unsigned memory = 0;
};

struct Memory {
  unsigned long long total = 0;
  unsigned long long free = 0;
  unsigned long long used = 0;
};

struct Event {
  Handle device = nullptr;
  unsigned long long type = 0;
  unsigned long long data = 0;  // the Xid
  unsigned gpu_instance = 0;
  unsigned compute_instance = 0;
};

// NVML, started; starting it again does nothing.
StatusOr<Library> Started() {
  ASSIGN_OR_RETURN(Library library, Library::Open("libnvidia-ml.so.1"));
  const auto init = library.Find<int (*)()>("nvmlInit_v2");
  if (init == nullptr || init() != kSuccess) return NotFound("libnvidia-ml.so.1 does not start");
  return library;
}

class NvmlWatch final : public GpuWatch {
 public:
  NvmlWatch(const Library& library, Handle device)
      : device_(device),
        utilization_(library.Find<int (*)(Handle, Utilization*)>("nvmlDeviceGetUtilizationRates")),
        temperature_(library.Find<int (*)(Handle, int, unsigned*)>("nvmlDeviceGetTemperature")),
        errors_(library.Find<int (*)(Handle, int, int, unsigned long long*)>(
            "nvmlDeviceGetTotalEccErrors")),
        mig_(library.Find<int (*)(Handle, unsigned*, unsigned*)>("nvmlDeviceGetMigMode")),
        memory_(library.Find<int (*)(Handle, Memory*)>("nvmlDeviceGetMemoryInfo")),
        power_(library.Find<int (*)(Handle, unsigned*)>("nvmlDeviceGetPowerUsage")),
        wait_(library.Find<int (*)(Handle, Event*, unsigned)>("nvmlEventSetWait_v2")) {
    const auto create = library.Find<int (*)(Handle*)>("nvmlEventSetCreate");
    const auto listen =
        library.Find<int (*)(Handle, unsigned long long, Handle)>("nvmlDeviceRegisterEvents");
    if (create == nullptr || listen == nullptr || wait_ == nullptr) return;
    Handle set = nullptr;
    if (create(&set) != kSuccess) return;
    if (listen(device_, kXidEvents, set) == kSuccess) events_ = set;
  }

  GpuHealth Look() override {
    GpuHealth health;
    Utilization used;
    if (utilization_ != nullptr && utilization_(device_, &used) == kSuccess) {
      health.utilization_percent = static_cast<int>(used.gpu);
    }
    unsigned degrees = 0;
    if (temperature_ != nullptr && temperature_(device_, kGpuSensor, &degrees) == kSuccess) {
      health.temperature_celsius = static_cast<int>(degrees);
    }
    unsigned long long errors = 0;
    if (errors_ != nullptr && errors_(device_, kUncorrected, kVolatile, &errors) == kSuccess) {
      health.uncorrected_ecc_errors = static_cast<int64_t>(errors);
    }
    unsigned current = 0, pending = 0;
    if (mig_ != nullptr && mig_(device_, &current, &pending) == kSuccess) health.mig = current == 1;
    Memory memory;
    if (memory_ != nullptr && memory_(device_, &memory) == kSuccess) {
      health.memory_used_bytes = memory.used;
    }
    unsigned milliwatts = 0;
    if (power_ != nullptr && power_(device_, &milliwatts) == kSuccess) {
      health.power_watts = milliwatts / kMilli;
    }
    Event event;
    for (int i = 0; events_ != nullptr && i < kMostEventsALook; ++i) {
      if (wait_(events_, &event, 0) != kSuccess) break;
      if ((event.type & kXidEvents) != 0) health.xids.push_back(event.data);
    }
    return health;
  }

 private:
  const Handle device_;
  int (*const utilization_)(Handle, Utilization*);
  int (*const temperature_)(Handle, int, unsigned*);
  int (*const errors_)(Handle, int, int, unsigned long long*);
  int (*const mig_)(Handle, unsigned*, unsigned*);
  int (*const memory_)(Handle, Memory*);
  int (*const power_)(Handle, unsigned*);
  int (*const wait_)(Handle, Event*, unsigned);
  Handle events_ = nullptr;  // of the card; null: it reports none
};

}  // namespace

std::string NvmlDriverVersion() {
  const StatusOr<Library> library = Started();
  if (!library.ok()) return "";
  const auto ask = library->Find<int (*)(char*, unsigned)>("nvmlSystemGetDriverVersion");
  std::array<char, 96> text = {};
  constexpr unsigned kRoom = 95;
  if (ask == nullptr || ask(text.data(), kRoom) != kSuccess) return "";
  return text.data();
}

StatusOr<std::unique_ptr<GpuWatch>> GpuWatch::Make(const Gpu& gpu) {
  ASSIGN_OR_RETURN(const Library library, Started());
  const auto find = library.Find<int (*)(const char*, Handle*)>("nvmlDeviceGetHandleByPciBusId_v2");
  Handle device = nullptr;
  if (find == nullptr || find(gpu.bus_id.c_str(), &device) != kSuccess) {
    return NotFound(absl::StrCat("NVML does not know the card at ", gpu.bus_id));
  }
  return std::unique_ptr<GpuWatch>(std::make_unique<NvmlWatch>(library, device));
}

}  // namespace phasor::engine
