#include "services/gateway/flow/record_lookup.h"

#include <memory>
#include <optional>
#include <utility>

namespace phasor::gateway {
namespace {

using Steady = std::chrono::steady_clock;

Status NoAnswer() { return Unavailable("the result store does not answer"); }

}  // namespace

// What one call waits for; outlives it where the store is late.
struct RecordLookup::Question {
  explicit Question(const std::vector<job::JobId>& all) : ids(all) {}

  const std::vector<job::JobId> ids;
  Mutex mu;
  CondVar news;
  bool over GUARDED_BY(mu) = false;  // nobody waits any more
  std::optional<Answers> answers GUARDED_BY(mu);
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
  if (ids.empty()) return {};
  if (IsStalled()) return Answers(ids.size(), NoAnswer());
  const Steady::time_point end = Steady::now() + patience_;
  const auto question = std::make_shared<Question>(ids);
  if (!pool_.TryPost([this, question] { Ask(question.get()); })) {
    return Answers(ids.size(), NoAnswer());
  }
  MutexLock lock(&question->mu);
  while (!question->answers && question->news.WaitUntil(&question->mu, end)) {
  }
  question->over = true;
  return question->answers ? *std::move(question->answers) : Answers(ids.size(), NoAnswer());
}

void RecordLookup::Ask(Question* question) {
  {
    MutexLock lock(&question->mu);
    if (question->over) return;
  }
  {
    MutexLock lock(&mu_);
    if (asking_++ == 0) heard_ = Steady::now();
  }
  auto answers = store_->ReadTerminals(question->ids);
  {
    MutexLock lock(&mu_);
    --asking_;
    heard_ = Steady::now();
  }
  MutexLock lock(&question->mu);
  if (question->over) return;
  question->answers = std::move(answers);
  question->news.Signal();
}

}  // namespace phasor::gateway
