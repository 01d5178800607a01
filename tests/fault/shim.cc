// Loaded into a process with LD_PRELOAD, for faults that no signal from outside can time:
//
//   PHASOR_SHIM_RECORD  what happens when the process creates a job's terminal record (a link()
//                       to .../terminal): "kill before", "kill after", "stop before" (SIGSTOP),
//                       or "overwrite", the mutant of a store in which the last writer wins
//   PHASOR_SHIM_CLOCK   a file with 8 bytes, a signed number of seconds by which the wall clock of
//                       the process is wrong; it may change while the process runs
//
// Thread-safe. The steady clock is left alone: no machine sets it.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string_view>

namespace {

template <typename Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

std::string_view RecordFault() {
  static const char* const fault = std::getenv("PHASOR_SHIM_RECORD");
  return fault == nullptr ? "" : fault;
}

const std::atomic<int64_t>* MapOffset() {
  const char* const path = std::getenv("PHASOR_SHIM_CLOCK");
  if (path == nullptr) return nullptr;
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* const bytes = ::mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  return bytes == MAP_FAILED ? nullptr : static_cast<const std::atomic<int64_t>*>(bytes);
}

int64_t OffsetSeconds() {
  static const std::atomic<int64_t>* const offset = MapOffset();
  return offset == nullptr ? 0 : offset->load(std::memory_order_relaxed);
}

bool IsRecord(const char* path) {
  constexpr std::string_view kName = "/terminal";
  const std::string_view text(path);
  return text.size() > kName.size() && text.substr(text.size() - kName.size()) == kName;
}

}  // namespace

extern "C" {

int link(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("link");
  if (!IsRecord(to)) return real(from, to);
  const std::string_view fault = RecordFault();
  if (fault == "kill before") ::raise(SIGKILL);
  if (fault == "stop before") ::raise(SIGSTOP);
  if (fault == "overwrite") ::unlink(to);
  const int result = real(from, to);
  if (fault == "kill after") ::raise(SIGKILL);
  return result;
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const auto real = Real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += OffsetSeconds();
  return result;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  static const auto real = Real<int (*)(timeval*, void*)>("gettimeofday");
  const int result = real(time, zone);
  time->tv_sec += OffsetSeconds();
  return result;
}

time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
