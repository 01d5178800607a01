#include "engine/cuda/device_choice.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "engine/cuda/driver.h"
#include "engine/cuda/gpu_policy.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;

StatusOr<ChosenDevice> FindCard(int index, const std::string& plugin) {
  ASSIGN_OR_RETURN(const DriverReport report, AskDriver());
  RETURN_IF_ERROR(CheckDriver(report));
  ChosenDevice chosen;
  ASSIGN_OR_RETURN(chosen.card, ChooseGpu(report, index));
  if (plugin.empty()) return NotFound(MissingPlugin());
  chosen.name = absl::StrCat("cuda:", index);
  chosen.driver = report.driver;
  chosen.note = NewerDriver(report);
  return chosen;
}

}  // namespace

std::string MissingPlugin() {
  return absl::StrCat(kCudaPlugin, " is not beside this program; ", kCudaPluginHow);
}

std::string CudaPluginPath() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {".", "../lib", "../bin"}) {
    const fs::path path = (folder / place / kCudaPlugin).lexically_normal();
    if (fs::exists(path, error)) return path.string();
  }
  return "";
}

StatusOr<ChosenDevice> ChooseDevice(const std::string& wanted, const std::string& plugin) {
  RETURN_IF_ERROR(Annotate(CheckDeviceName(wanted), "device"));
  ASSIGN_OR_RETURN(const std::optional<DeviceChoice> choice, ParseCudaDevice(wanted));
  ChosenDevice chosen;
  chosen.name = wanted;
  if (!choice) return chosen;
  StatusOr<ChosenDevice> card = FindCard(choice->index, plugin);
  if (card.ok()) return card;
  if (!choice->automatic) return Annotate(card.status(), "device " + wanted);
  chosen.name = "cpu";
  chosen.why_no_card = card.status();
  return chosen;
}

}  // namespace phasor::engine
