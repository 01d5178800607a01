// Tells the thread sanitizer what abseil's synchronisation orders. Debian's abseil is a shared
// library built without the sanitizer, so that every lock would be invisible and every guarded
// access a false race. In sanitizer builds the linker sends our calls of these functions here
// (--wrap); each does the real thing and announces the acquire or release beside it. Calls that
// libraries make do not get here: tsan_grpc.cc says why. The names fit abseil 20220623 of
// Debian 12.

#include <sanitizer/tsan_interface.h>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

// Declares __real_<symbol> and opens the definition of __wrap_<symbol>; `self` is the object.
#define PHASOR_WRAP(result, name, symbol, ...)                          \
  extern "C" result real_##name(__VA_ARGS__) __asm__("__real_" symbol); \
  extern "C" result wrap_##name(__VA_ARGS__) __asm__("__wrap_" symbol); \
  result wrap_##name(__VA_ARGS__)

namespace {

// A condition runs on whichever thread unlocks, with the mutex held.
struct Announced {
  absl::Mutex* mutex;
  const absl::Condition* condition;
};

bool Eval(Announced* announced) {
  __tsan_acquire(announced->mutex);
  const bool holds = announced->condition->Eval();
  __tsan_release(announced->mutex);
  return holds;
}

// Gives the mutex up around `wait` and has it again afterwards.
template <typename Wait>
auto Around(absl::Mutex* self, const absl::Condition& condition, const Wait& wait) {
  Announced announced{self, &condition};
  const absl::Condition wrapped(&Eval, &announced);
  __tsan_release(self);
  const auto result = wait(wrapped);
  __tsan_acquire(self);
  return result;
}

}  // namespace

PHASOR_WRAP(void, lock, "_ZN4absl7debian35Mutex4LockEv", absl::Mutex* self) {
  real_lock(self);
  __tsan_acquire(self);
}

PHASOR_WRAP(void, unlock, "_ZN4absl7debian35Mutex6UnlockEv", absl::Mutex* self) {
  __tsan_release(self);
  real_unlock(self);
}

PHASOR_WRAP(void, reader_lock, "_ZN4absl7debian35Mutex10ReaderLockEv", absl::Mutex* self) {
  real_reader_lock(self);
  __tsan_acquire(self);
}

PHASOR_WRAP(void, reader_unlock, "_ZN4absl7debian35Mutex12ReaderUnlockEv", absl::Mutex* self) {
  __tsan_release(self);
  real_reader_unlock(self);
}

PHASOR_WRAP(bool, try_lock, "_ZN4absl7debian35Mutex7TryLockEv", absl::Mutex* self) {
  const bool locked = real_try_lock(self);
  if (locked) __tsan_acquire(self);
  return locked;
}

PHASOR_WRAP(void, await, "_ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE", absl::Mutex* self,
            const absl::Condition& condition) {
  Around(self, condition, [&](const absl::Condition& c) {
    real_await(self, c);
    return true;
  });
}

PHASOR_WRAP(bool, await_timeout,
            "_ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE",
            absl::Mutex* self, const absl::Condition& condition, absl::Duration timeout) {
  return Around(self, condition,
                [&](const absl::Condition& c) { return real_await_timeout(self, c, timeout); });
}

PHASOR_WRAP(bool, await_deadline,
            "_ZN4absl7debian35Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE",
            absl::Mutex* self, const absl::Condition& condition, absl::Time deadline) {
  return Around(self, condition,
                [&](const absl::Condition& c) { return real_await_deadline(self, c, deadline); });
}

PHASOR_WRAP(void, wait, "_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE", absl::CondVar* self,
            absl::Mutex* mutex) {
  __tsan_release(mutex);
  real_wait(self, mutex);
  __tsan_acquire(mutex);
}

PHASOR_WRAP(bool, wait_timeout,
            "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE",
            absl::CondVar* self, absl::Mutex* mutex, absl::Duration timeout) {
  __tsan_release(mutex);
  const bool timed_out = real_wait_timeout(self, mutex, timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

PHASOR_WRAP(bool, wait_deadline,
            "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE",
            absl::CondVar* self, absl::Mutex* mutex, absl::Time deadline) {
  __tsan_release(mutex);
  const bool timed_out = real_wait_deadline(self, mutex, deadline);
  __tsan_acquire(mutex);
  return timed_out;
}

PHASOR_WRAP(void, notify, "_ZN4absl7debian312Notification6NotifyEv", absl::Notification* self) {
  __tsan_release(self);
  real_notify(self);
}

PHASOR_WRAP(void, notified, "_ZNK4absl7debian312Notification19WaitForNotificationEv",
            absl::Notification* self) {
  real_notified(self);
  __tsan_acquire(self);
}

PHASOR_WRAP(bool, notified_timeout,
            "_ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE",
            absl::Notification* self, absl::Duration timeout) {
  const bool notified = real_notified_timeout(self, timeout);
  if (notified) __tsan_acquire(self);
  return notified;
}

PHASOR_WRAP(bool, notified_deadline,
            "_ZNK4absl7debian312Notification31WaitForNotificationWithDeadlineENS0_4TimeE",
            absl::Notification* self, absl::Time deadline) {
  const bool notified = real_notified_deadline(self, deadline);
  if (notified) __tsan_acquire(self);
  return notified;
}
