// Loaded into a worker with LD_PRELOAD: makes its card fail for good when told to.
//
//   PHASOR_CARD_FAULT   a file that is not there at first; once it is, its word says what happens:
//                       "illegal": a kernel writes to address 0, which leaves the process's context
//                       of the card lost (error 700), as a wrong kernel would;
//                       "hang": a kernel never ends, and what is asked of the card waits for it
//
// The kernels are a few lines of PTX, which the driver compiles; nothing of CUDA is linked. What
// the driver answered goes to stderr. One thread of its own.
#include <dlfcn.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

namespace {

constexpr char kKernels[] = R"(
.version 6.3
.target sm_75
.address_size 64
.visible .global .align 4 .u32 never;
.visible .entry illegal()
{
  .reg .b32 %value;
  .reg .b64 %address;
  mov.u64 %address, 0;
  mov.u32 %value, 1;
  st.volatile.global.u32 [%address], %value;
  ret;
}
.visible .entry hang()
{
  .reg .b32 %value;
  .reg .pred %goes_on;
again:
  ld.volatile.global.u32 %value, [never];
  setp.eq.u32 %goes_on, %value, 0;
  @%goes_on bra again;
  ret;
}
)";

// Of cuda.h, whose interface is stable.
struct Driver {
  explicit Driver(void* library)
      : get(Find<decltype(get)>(library, "cuDeviceGet")),
        retain(Find<decltype(retain)>(library, "cuDevicePrimaryCtxRetain")),
        enter(Find<decltype(enter)>(library, "cuCtxSetCurrent")),
        load(Find<decltype(load)>(library, "cuModuleLoadData")),
        find(Find<decltype(find)>(library, "cuModuleGetFunction")),
        launch(Find<decltype(launch)>(library, "cuLaunchKernel")) {}

  template <typename Function>
  static Function Find(void* library, const char* name) {
    return reinterpret_cast<Function>(::dlsym(library, name));
  }
  bool complete() const {
    return get != nullptr && retain != nullptr && enter != nullptr && load != nullptr &&
           find != nullptr && launch != nullptr;
  }

  int (*get)(int*, int);
  int (*retain)(void**, int);
  int (*enter)(void*);
  int (*load)(void**, const void*);
  int (*find)(void**, void*, const char*);
  int (*launch)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*,
                void**, void**);
};

// In the context that LibTorch computes in, on the stream that it computes on: the legacy default
// one.
int Break(const Driver& driver, const std::string& how) {
  int device = 0;
  void *context = nullptr, *module = nullptr, *kernel = nullptr;
  if (const int code = driver.get(&device, 0); code != 0) return code;
  if (const int code = driver.retain(&context, device); code != 0) return code;
  if (const int code = driver.enter(context); code != 0) return code;
  if (const int code = driver.load(&module, kKernels); code != 0) return code;
  if (const int code = driver.find(&kernel, module, how.c_str()); code != 0) return code;
  return driver.launch(kernel, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr);
}

void Wait(const std::string& path) {
  for (std::string how;;) {
    std::ifstream file(path);
    if (file >> how) {
      void* const library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
      if (library == nullptr || !Driver(library).complete()) {
        std::fprintf(stderr, "card_shim: there is no driver to break a card with\n");
        return;
      }
      std::fprintf(stderr, "card_shim: %s: the driver answers %d\n", how.c_str(),
                   Break(Driver(library), how));
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

__attribute__((constructor)) void Begin() {
  const char* const path = std::getenv("PHASOR_CARD_FAULT");
  if (path != nullptr) std::thread(Wait, std::string(path)).detach();
}

}  // namespace
