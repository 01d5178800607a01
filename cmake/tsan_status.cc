// Tells the thread sanitizer that the last owner of an absl::Status frees it after all others have
// let go. References are taken in abseil's headers and dropped in its library, which is not
// instrumented. The name fits abseil 20220623 of Debian 12.

#include <sched.h>

#include <atomic>
#include <cstdint>

#include "cmake/tsan_interpose.h"

namespace {

// Makes announcing and counting one step, for all: nobody counts down to zero before he has seen
// what those before him announced.
std::atomic_flag counting = ATOMIC_FLAG_INIT;

}  // namespace

PHASOR_INTERPOSE(void, unref, "_ZN4absl7debian36Status15UnrefNonInlinedEm", uintptr_t rep) {
  constexpr uintptr_t kPointerTag = 1;  // the count is the first member of what the rest points at
  void* const count = reinterpret_cast<void*>(rep & ~kPointerTag);
  while (counting.test_and_set(std::memory_order_acquire)) sched_yield();
  __tsan_release(count);
  __tsan_acquire(count);
  real_unref()(rep);
  counting.clear(std::memory_order_release);
}
