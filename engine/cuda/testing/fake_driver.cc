// A libcuda.so.1 for tests, that shows what the environment says: PHASOR_FAKE_CUDA_VERSION (12020
// is 12.2), PHASOR_FAKE_CUDA_CARDS, PHASOR_FAKE_CUDA_INIT (the error that it starts with).
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

int Number(const char* variable, int otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::atoi(text);
}

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

int cuGetErrorString(int code, const char** text) {
  *text = code == 803 ? "system has unsupported display driver / cuda driver combination" : nullptr;
  return 0;
}
}
