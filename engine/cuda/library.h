// A shared library that may be there: opened by name, its functions found by theirs.
// Movable; closes nothing, for libraries of CUDA's don't bear it.
#pragma once

#include <dlfcn.h>

#include <string>

#include "common/base/status.h"

namespace phasor::engine {

class Library {
 public:
  // NOT_FOUND with the loader's reason.
  static StatusOr<Library> Open(const std::string& name, int flags = RTLD_NOW | RTLD_LOCAL) {
    void* const handle = ::dlopen(name.c_str(), flags);
    if (handle != nullptr) return Library(handle);
    const char* const reason = ::dlerror();
    return NotFound(reason == nullptr ? name + ": can't be loaded" : reason);
  }

  // Null if there is no such function.
  template <typename Function>
  Function Find(const char* name) const {
    return reinterpret_cast<Function>(::dlsym(handle_, name));
  }

 private:
  explicit Library(void* handle) : handle_(handle) {}
  void* handle_;
};

}  // namespace phasor::engine
