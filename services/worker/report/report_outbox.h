// What waits to be told to one gateway. Bounded: of each job only the newest progress and the
// newest preview of each image are kept, so a slow gateway costs freshness, never memory or the
// executor's time. Thread-safe.
#pragma once

#include <map>
#include <optional>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "phasor/v1/worker.pb.h"

namespace phasor::worker {

class ReportOutbox {
 public:
  // Never blocks.
  void Put(const v1::JobProgress& progress);

  // The next message, or nullopt after `timeout` or Close. Progress comes before previews.
  std::optional<v1::JobProgress> Next(Millis timeout);

  // Next returns at once from now on, with nothing.
  void Close();

 private:
  bool Readable() const REQUIRES_LOCK(mu_);

  Mutex mu_;
  CondVar news_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::optional<v1::JobProgress> progress_ GUARDED_BY(mu_);
  std::map<int, v1::JobProgress> previews_ GUARDED_BY(mu_);  // by image
};

}  // namespace phasor::worker
