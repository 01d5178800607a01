// Brings what happens to jobs to those who watch them: one event stream in, any number of
// watchers out. Events are hints and may be lost, so a change of state makes the hub look the job
// up, and every watched job is looked up again every few seconds in any case.
//
// Thread-safe. OnEvent never blocks; lookups run in the work pool, at most one at a time for each
// job.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/queue/types.h"
#include "services/gateway/flow/job_reader.h"
#include "services/gateway/flow/work_pool.h"
#include "services/gateway/watch/watcher.h"

namespace phasor::gateway {

class WatcherHub {
 public:
  struct Parts {  // all outlive the hub
    JobReader* reader = nullptr;
    WorkPool* pool = nullptr;
    const Clock* clock = nullptr;
  };
  explicit WatcherHub(const Parts& parts, Millis poll = Millis(2000));

  // From now on the watcher hears of its job, first of how it is now. A job that does not exist, or
  // that its caller does not see, ends it with NOT_FOUND. Ends at once after Close.
  void Add(std::shared_ptr<Watcher> watcher);
  // Idempotent.
  void Remove(const std::shared_ptr<Watcher>& watcher);

  void OnEvent(const queue::Event& event);
  // Looks up the jobs whose last look is a poll interval ago. Call about every second.
  void Tick();
  // Ends all watchers and every later one with `why`.
  void Close(const Status& why);

  size_t watched_jobs();

 private:
  struct Entry {
    std::vector<std::shared_ptr<Watcher>> watchers;
    SteadyTime looked;     // start of the last look
    bool looking = false;  // one is queued or running
    bool again = false;    // something happened meanwhile
    bool known = false;    // a look has succeeded
  };

  // Queues a look; when the pool is full the next Tick tries again.
  void RequestLook(const job::JobId& id);
  void Look(const job::JobId& id);
  // One look serves all watchers, whoever they are, so it is told here who sees the job.
  void Deliver(const job::JobId& id, const StatusOr<JobFacts>& facts);

  const Parts parts_;
  const Millis poll_;

  Mutex mu_;
  std::map<job::JobId, Entry> entries_ GUARDED_BY(mu_);
  Status closed_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
