// A libnvidia-ml.so.1 for tests: one card at 0000:00:00.0, with what the environment says:
// PHASOR_FAKE_NVML_XID (one error, told once), PHASOR_FAKE_NVML_ECC, PHASOR_FAKE_NVML_MIG (1: it is
// cut in parts).
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

unsigned long long Number(const char* variable) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

struct Event {
  void* device;
  unsigned long long type, data;
  unsigned gpu_instance, compute_instance;
};

int card = 0, events = 0;

}  // namespace

extern "C" {

int nvmlInit_v2() { return 0; }

int nvmlSystemGetDriverVersion(char* text, unsigned room) {
  std::snprintf(text, room, "580.65.06");
  return 0;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  *device = &card;
  return std::strcmp(id, "0000:00:00.0") == 0 ? 0 : 6;
}

int nvmlDeviceGetUtilizationRates(void*, unsigned* used) {
  used[0] = 87;
  used[1] = 40;
  return 0;
}

int nvmlDeviceGetTemperature(void*, int, unsigned* degrees) {
  *degrees = 64;
  return 0;
}

int nvmlDeviceGetTotalEccErrors(void*, int, int, unsigned long long* errors) {
  *errors = Number("PHASOR_FAKE_NVML_ECC");
  return 0;
}

int nvmlDeviceGetMigMode(void*, unsigned* current, unsigned* pending) {
  const unsigned long long mode = Number("PHASOR_FAKE_NVML_MIG");
  if (mode == 0) return 3;  // not supported
  *current = *pending = 1;
  return 0;
}

int nvmlDeviceGetMemoryInfo(void*, unsigned long long* memory) {
  memory[0] = 24ull << 30;
  memory[1] = 20ull << 30;
  memory[2] = 4ull << 30;
  return 0;
}

int nvmlDeviceGetPowerUsage(void*, unsigned* milliwatts) {
  *milliwatts = 72'500;
  return 0;
}

int nvmlEventSetCreate(void** set) {
  *set = &events;
  return 0;
}

int nvmlDeviceRegisterEvents(void*, unsigned long long, void*) { return 0; }

int nvmlEventSetWait_v2(void*, Event* event, unsigned) {
  const unsigned long long xid = Number("PHASOR_FAKE_NVML_XID");
  if (xid == 0) return 10;  // time is up
  unsetenv("PHASOR_FAKE_NVML_XID");
  *event = {&card, 8, xid, 0, 0};
  return 0;
}
}
