// One client's view of one job: a mailbox between those who learn about the job and the stream
// that tells the client. Bounded however slow the client reads: a newer state replaces an unread
// older one, progress keeps its latest, previews their latest for each picture up to some bytes in
// all. The end is never dropped. Nothing comes before the job as it is, unless the client knows it.
// Thread-safe. `wake` is called, without a lock, whenever there may be something new to take.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <variant>

#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/job/caller.h"
#include "common/queue/types.h"
#include "phasor/v1/images.pb.h"
#include "phasor/v1/types.pb.h"

namespace phasor::gateway {

class Watcher {
 public:
  struct Options {
    bool previews = false;
    bool accepted = false;  // the job is there: only its end, or NOT_FOUND, ends the stream
    std::function<void()> wake;
    job::Caller caller = {};  // for whom it watches
  };

  // What to tell the client next. A Status is the end of the stream.
  using Item = std::variant<v1::Job, v1::Progress, v1::Preview, Status>;

  Watcher(job::JobId id, Options options);

  const job::JobId& id() const { return id_; }
  const job::Caller& caller() const { return options_.caller; }
  bool knows_job() const { return options_.accepted; }

  // Progress and previews; changes of state come through OnJob.
  void OnEvent(const queue::Event& event);
  // The job as it is; a terminal one is followed by the end.
  void OnJob(const v1::Job& job);
  // Ends the stream, unless the job's end is already on its way.
  void OnEnd(const Status& status);

  std::optional<Item> Next();

 private:
  static constexpr size_t kMaxPreviews = 16;
  static constexpr size_t kMaxPreviewBytes = 256 << 10;

  bool StoreEvent(const queue::Event& event) REQUIRES_LOCK(mu_);
  bool StorePreview(const queue::Event& event) REQUIRES_LOCK(mu_);
  bool StoreJob(const v1::Job& job) REQUIRES_LOCK(mu_);

  const job::JobId id_;
  const Options options_;

  Mutex mu_;
  std::optional<v1::Job> job_ GUARDED_BY(mu_);
  std::optional<v1::Progress> progress_ GUARDED_BY(mu_);
  std::map<int, v1::Preview> previews_ GUARDED_BY(mu_);
  size_t preview_bytes_ GUARDED_BY(mu_) = 0;
  std::optional<Status> end_ GUARDED_BY(mu_);
  bool ended_ GUARDED_BY(mu_) = false;  // no input counts any more
  bool begun_ GUARDED_BY(mu_);          // the client knows the job
  int64_t version_ GUARDED_BY(mu_) = -1;
  int64_t position_ GUARDED_BY(mu_) = -1;
  int64_t epoch_ GUARDED_BY(mu_) = 0;
};

}  // namespace phasor::gateway
