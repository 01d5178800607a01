// What waits to be told to one gateway. Bounded: of each job only the newest progress and the
// newest preview of each image are kept, so a slow gateway costs freshness, never memory or the
// executor's time. Thread-safe.
#pragma once

#include <deque>
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

  // What came of an order. At most kMaxAnswers wait; an order whose answer is lost is not answered,
  // as if the stream had broken.
  void Put(const v1::OrderDone& done);
  // nullopt: there is none now.
  std::optional<v1::OrderDone> NextAnswer();

  // The next message, or nullopt after `timeout` or Close, or when there is an answer. Progress
  // comes before previews.
  std::optional<v1::JobProgress> Next(Millis timeout);

  // Next returns at once from now on, with nothing.
  void Close();

 private:
  bool Readable() const REQUIRES_LOCK(mu_);

  Mutex mu_;
  CondVar news_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::deque<v1::OrderDone> answers_ GUARDED_BY(mu_);
  std::optional<v1::JobProgress> progress_ GUARDED_BY(mu_);
  std::map<int, v1::JobProgress> previews_ GUARDED_BY(mu_);  // by image
};

}  // namespace phasor::worker
