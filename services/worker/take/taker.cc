#include "services/worker/take/taker.h"

#include <utility>

#include "common/base/hash.h"
#include "common/log/log.h"

namespace phasor::worker {

Taker::Taker(queue::Consumer& queue, const Patience& patience, TakerConfig config)
    : queue_(queue), patience_(patience), config_(std::move(config)) {}

void Taker::Owe(queue::Completion done) {
  Settle();
  owed_ = {std::move(done), patience_.clock.Steady() + config_.lease};
}

void Taker::Settle() {
  if (!owed_) return;
  const queue::Completion& done = owed_->done;
  Told(patience_.Until(owed_->until, [&] { return queue_.Complete(done.fence, done.result); }));
}

void Taker::Told(const StatusOr<queue::OwnerAnswer>& answer) {
  const bool unknown = answer.status().code() == StatusCode::kUnavailable;
  if (unknown && patience_.clock.Steady() < owed_->until) return;
  if (!answer.ok()) {
    log::Warn("the queue was not told the end; the next owner will",
              {{"job_id", owed_->done.fence.id}, {"status", answer.status()}});
  }
  owed_.reset();
}

StatusOr<std::optional<Taker::Taken>> Taker::Take(const std::vector<std::string>& models) {
  const SteadyTime now = patience_.clock.Steady();
  if (nonce_.empty()) {
    nonce_ = RandomToken();
    sent_ = now;
  }
  const queue::TakeRequest request{.worker = config_.worker,
                                   .node = config_.node,
                                   .nonce = nonce_,
                                   .models = models,
                                   .lease = config_.lease};
  StatusOr<std::optional<queue::Grant>> grant = std::optional<queue::Grant>();
  if (owed_) {
    auto next = queue_.CompleteAndTake(owed_->done, request);
    if (next.ok()) {
      Told(next->completed);
      grant = std::move(next->grant);
    } else {
      Told(next.status());
      grant = next.status();
    }
  } else {
    grant = queue_.Take(request);
  }
  if (!grant.ok()) {
    if (grant.status().code() != StatusCode::kUnavailable) nonce_.clear();
    return grant.status();
  }
  nonce_.clear();
  if (!grant->has_value()) return std::optional<Taken>();
  return std::optional<Taken>(Taken{**std::move(grant), sent_});
}

void Taker::GiveBack(const queue::Fence& fence) {
  const SteadyTime end = patience_.clock.Steady() + config_.lease;
  const Status told = StatusOf(patience_.Until(end, [&] { return queue_.Release(fence, "", 0); }));
  if (!told.ok()) {
    log::Warn("job not given back; its lease will run out",
              {{"job_id", fence.id}, {"status", told}});
  }
}

bool Taker::MayHoldJob() const {
  return !nonce_.empty() && patience_.clock.Steady() - sent_ < config_.lease;
}

}  // namespace phasor::worker
