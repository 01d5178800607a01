#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/cuda/library.h"
#include "engine/device/cuda_device.h"

namespace phasor::engine {
namespace {

namespace fs = std::filesystem;

constexpr char kPlugin[] = "libphasor_cuda.so";
constexpr char kHow[] = "./dev build cuda makes and installs what it takes";

// The folder that LibTorch's CPU side was loaded from: the CUDA side lies beside it.
fs::path LibTorchFolder() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&at::get_num_threads), &info) == 0) return {};
  return fs::path(info.dli_fname).parent_path();
}

// Beside the program, in the lib/ of its installation, or where a build puts programs.
std::string PluginPath() {
  std::error_code error;
  const fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {".", "../lib", "../bin"}) {
    const fs::path path = (folder / place / kPlugin).lexically_normal();
    if (fs::exists(path, error)) return path.string();
  }
  return "";
}

}  // namespace

StatusOr<std::unique_ptr<CudaBackend>> LoadCudaBackend() {
  const std::string plugin = PluginPath();
  if (plugin.empty()) {
    return NotFound(absl::StrCat(kPlugin, " is not beside this program; ", kHow));
  }
  // Before cuBLAS starts: with this its results do not change from call to call.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  const std::string side = (LibTorchFolder() / "libtorch_cuda.so").string();
  const StatusOr<Library> torch = Library::Open(side, RTLD_NOW | RTLD_GLOBAL);
  if (!torch.ok()) {
    return NotFound(absl::StrCat("LibTorch's CUDA side can't be loaded: ", Message(torch.status()),
                                 "; ", kHow));
  }
  const StatusOr<Library> library = Library::Open(plugin);
  if (!library.ok()) return Annotate(library.status(), "the plug-in can't be loaded");
  const auto make = library->Find<MakeCudaBackend>(kCudaBackendFunction);
  CudaBackend* const backend = make == nullptr ? nullptr : make(kCudaBackendVersion);
  if (backend == nullptr) {
    return FailedPrecondition(absl::StrCat(plugin, " is not of this program's version (interface ",
                                           kCudaBackendVersion, "); ", kHow));
  }
  return std::unique_ptr<CudaBackend>(backend);
}

}  // namespace phasor::engine
