#include "services/gateway/flow/record_lookup.h"

#include <memory>
#include <utility>

namespace phasor::gateway {
namespace {

using Steady = std::chrono::steady_clock;

Status NoAnswer() { return Unavailable("the result store does not answer"); }

}  // namespace

// What one call waits for; outlives it where the store is late.
struct RecordLookup::Batch {
  explicit Batch(const std::vector<job::JobId>& all)
      : ids(all), left(all.size()), answers(all.size(), NoAnswer()) {}

  const std::vector<job::JobId> ids;
  Mutex mu;
  CondVar news;
  size_t left GUARDED_BY(mu);
  bool over GUARDED_BY(mu) = false;  // nobody waits any more
  Answers answers GUARDED_BY(mu);
};

RecordLookup::RecordLookup(storage::ResultStore* store, metrics::Registry* metrics,
                           const Options& options)
    : store_(store),
      patience_(options.patience),
      pool_({.name = "records", .threads = options.threads, .max_queued = options.max_waiting},
            metrics) {}

RecordLookup::RecordLookup(storage::ResultStore* store, metrics::Registry* metrics)
    : RecordLookup(store, metrics, Options()) {}

bool RecordLookup::IsStalled() {
  MutexLock lock(&mu_);
  return asking_ > 0 && Steady::now() - heard_ >= patience_;
}

RecordLookup::Answers RecordLookup::Read(const std::vector<job::JobId>& ids) {
  if (IsStalled()) return Answers(ids.size(), NoAnswer());
  const Steady::time_point end = Steady::now() + patience_;
  const auto batch = std::make_shared<Batch>(ids);
  size_t refused = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (!pool_.TryPost([this, batch, i] { ReadOne(batch.get(), i); })) ++refused;
  }
  MutexLock lock(&batch->mu);
  batch->left -= refused;
  while (batch->left > 0 && batch->news.WaitUntil(&batch->mu, end)) {
  }
  batch->over = true;
  return std::move(batch->answers);
}

void RecordLookup::ReadOne(Batch* batch, size_t i) {
  {
    MutexLock lock(&batch->mu);
    if (batch->over) return;
  }
  {
    MutexLock lock(&mu_);
    if (asking_++ == 0) heard_ = Steady::now();
  }
  auto answer = store_->ReadTerminal(batch->ids[i]);
  {
    MutexLock lock(&mu_);
    --asking_;
    heard_ = Steady::now();
  }
  MutexLock lock(&batch->mu);
  if (batch->over) return;
  batch->answers[i] = std::move(answer);
  if (--batch->left == 0) batch->news.Signal();
}

}  // namespace phasor::gateway
