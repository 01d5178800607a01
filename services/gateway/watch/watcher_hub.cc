#include "services/gateway/watch/watcher_hub.h"

#include <utility>

#include "services/gateway/flow/client_status.h"

namespace phasor::gateway {

WatcherHub::WatcherHub(const Parts& parts, Millis poll) : parts_(parts), poll_(poll) {}

void WatcherHub::Add(std::shared_ptr<Watcher> watcher) {
  const job::JobId id = watcher->id();
  Status closed;
  {
    MutexLock lock(&mu_);
    closed = closed_;
    if (closed.ok()) {
      Entry& entry = entries_[id];
      entry.watchers.push_back(watcher);
      entry.looked = parts_.clock->Steady() - poll_;
      entry.known = entry.known || watcher->knows_job();
    }
  }
  if (!closed.ok()) return watcher->OnEnd(closed);
  RequestLook(id);
}

void WatcherHub::Remove(const std::shared_ptr<Watcher>& watcher) {
  MutexLock lock(&mu_);
  const auto found = entries_.find(watcher->id());
  if (found == entries_.end()) return;
  std::erase(found->second.watchers, watcher);
  if (found->second.watchers.empty()) entries_.erase(found);
}

void WatcherHub::OnEvent(const queue::Event& event) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(event.id);
    if (found == entries_.end()) return;
    watchers = found->second.watchers;
  }
  for (const auto& watcher : watchers) watcher->OnEvent(event);
  if (event.version > 0) RequestLook(event.id);
}

void WatcherHub::Tick() {
  std::vector<job::JobId> due;
  {
    MutexLock lock(&mu_);
    const SteadyTime now = parts_.clock->Steady();
    for (const auto& [id, entry] : entries_) {
      if (now - entry.looked >= poll_) due.push_back(id);
    }
  }
  for (const job::JobId& id : due) RequestLook(id);
}

void WatcherHub::Close(const Status& why) {
  std::map<job::JobId, Entry> entries;
  {
    MutexLock lock(&mu_);
    closed_ = why;
    entries.swap(entries_);
  }
  for (const auto& [id, entry] : entries) {
    for (const auto& watcher : entry.watchers) watcher->OnEnd(why);
  }
}

size_t WatcherHub::watched_jobs() {
  MutexLock lock(&mu_);
  return entries_.size();
}

void WatcherHub::RequestLook(const job::JobId& id) {
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    if (found->second.looking) {
      found->second.again = true;
      return;
    }
    found->second.looking = true;
  }
  if (parts_.pool->TryPost([this, id] { Look(id); })) return;
  MutexLock lock(&mu_);
  if (const auto found = entries_.find(id); found != entries_.end()) {
    found->second.looking = false;
  }
}

void WatcherHub::Look(const job::JobId& id) {
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    found->second.looked = parts_.clock->Steady();
    found->second.again = false;
  }
  Deliver(id, parts_.reader->Look(id, job::Operator()));
  bool again = false;
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    found->second.looking = false;
    again = found->second.again;
  }
  if (again) RequestLook(id);
}

void WatcherHub::Deliver(const job::JobId& id, const StatusOr<JobFacts>& facts) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    MutexLock lock(&mu_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    // While the queue or the store can't answer, those who know the job wait on.
    if (IsPassing(facts.status()) && found->second.known) return;
    found->second.known = found->second.known || facts.ok();
    watchers = found->second.watchers;
  }
  const v1::Job job = facts.ok() ? ToProto(*facts) : v1::Job();
  for (const auto& watcher : watchers) {
    if (!facts.ok()) {
      watcher->OnEnd(facts.status());
    } else if (!watcher->caller().Sees(facts->tenant())) {
      watcher->OnEnd(NotFound(kNoSuchJob));
    } else {
      watcher->OnJob(job);
    }
  }
}

}  // namespace phasor::gateway
