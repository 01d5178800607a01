#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/cuda/device_choice.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/cuda/library.h"
#include "engine/device/cuda_device.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;

// The folder that LibTorch's CPU side was loaded from: the CUDA side lies beside it.
fs::path LibTorchFolder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) == 0) return {};
  return fs::path(info.dli_fname).parent_path();
}

}  // namespace

LibraryAllowance CudaLibraries() {
  const auto read = [](const char* variable) {
    const char* const value = std::getenv(variable);
    return std::string(value == nullptr ? "" : value);
  };
  return AllowanceOf(read(kCublasVariable), read(kCudnnVariable));
}

StatusOr<std::unique_ptr<CudaBackend>> LoadCudaBackend() {
  const std::string plugin = CudaPluginPath();
  if (plugin.empty()) return NotFound(MissingPlugin());
  // Before the libraries start.
  ::setenv(kCublasVariable, kCublasWorkspace, /*overwrite=*/0);
  ::setenv(kCudnnVariable, kCudnnWorkspace, /*overwrite=*/0);
  const std::string side = (LibTorchFolder() / "libtorch_cuda.so").string();
  const StatusOr<Library> torch = Library::Open(side, RTLD_NOW | RTLD_GLOBAL);
  if (!torch.ok()) {
    return NotFound(absl::StrCat("LibTorch's CUDA side can't be loaded: ", Message(torch.status()),
                                 "; ", kCudaPluginHow));
  }
  const StatusOr<Library> library = Library::Open(plugin);
  if (!library.ok()) return Annotate(library.status(), "the plug-in can't be loaded");
  const auto make = library->Find<MakeCudaBackend>(kCudaBackendFunction);
  CudaBackend* const backend = make == nullptr ? nullptr : make(kCudaBackendVersion);
  if (backend == nullptr) {
    return FailedPrecondition(absl::StrCat(plugin, " is not of this program's version (interface ",
                                           kCudaBackendVersion, "); ", kCudaPluginHow));
  }
  return std::unique_ptr<CudaBackend>(backend);
}

}  // namespace phasor::engine
