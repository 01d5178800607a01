// abseil's annotated mutex under our names, so that clang's -Wthread-safety checks the guards.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#ifndef GUARDED_BY
#define GUARDED_BY(x) ABSL_GUARDED_BY(x)
#endif
#ifndef REQUIRES_LOCK
#define REQUIRES_LOCK(...) ABSL_EXCLUSIVE_LOCKS_REQUIRED(__VA_ARGS__)
#endif

namespace phasor {

using absl::CondVar;
using absl::Mutex;
using absl::MutexLock;

}  // namespace phasor
