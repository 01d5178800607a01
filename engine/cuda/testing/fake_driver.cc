// A libcuda.so.1 for tests, that shows what the environment says: PHASOR_FAKE_CUDA_VERSION (12020
// is 12.2), PHASOR_FAKE_CUDA_CARDS, PHASOR_FAKE_CUDA_INIT (the error that it starts with).
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <unistd.h>

namespace {

int Number(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

int card = 0;

}  // namespace

extern "C" {

int cuInit(unsigned) { return Number("PHASOR_FAKE_CUDA_INIT", 0); }

int cuDriverGetVersion(int* version) {
  *version = Number("PHASOR_FAKE_CUDA_VERSION", 13000);
  return 0;
}

int cuDeviceGetCount(int* count) {
  *count = Number("PHASOR_FAKE_CUDA_CARDS", 1);
  return 0;
}

int cuDeviceGet(int* device, int index) {
  *device = index;
  return 0;
}

int cuDeviceGetName(char* name, int room, int device) {
  std::snprintf(name, static_cast<size_t>(room), "Imagined %d", device);
  return 0;
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = size_t{24} << 30;
  return 0;
}

int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? 8 : 6;
  return 0;
}

int cuDeviceGetPCIBusId(char* id, int room, int device) {
  std::snprintf(id, static_cast<size_t>(room), "0000:%02x:00.0", device);
  return 0;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
  *context = &card;
  return 0;
}

int cuCtxSetCurrent(void* context) { return context == &card ? 0 : 201; }

// What there is to launch is what the text says.
int cuModuleLoadData(void** module, const void* text) {
  *module = const_cast<void*>(text);
  return 0;
}

int cuModuleGetFunction(void** function, void* module, const char* name) {
  const std::string entry = ".entry " + std::string(name) + "(";
  const char* const found = std::strstr(static_cast<const char*>(module), entry.c_str());
  *function = const_cast<char*>(found);
  return found == nullptr ? 500 : 0;
}

// A kernel that ends the process as the loss of its card would: at once, or, where it hangs, when
// somebody has had enough of it.
int cuLaunchKernel(void* function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   unsigned, void*, void**, void**) {
  constexpr int kDeviceLost = 70;
  constexpr unsigned kPatienceSeconds = 2;
  if (std::strncmp(static_cast<const char*>(function), ".entry hang", 11) == 0) {
    ::sleep(kPatienceSeconds);
  }
  ::_exit(kDeviceLost);
}

int cuGetErrorString(int code, const char** text) {
  *text = code == 803 ? "system has unsupported display driver / cuda driver combination" : nullptr;
  return 0;
}
}
