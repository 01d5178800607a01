#include "services/worker/taker.h"

#include <utility>

#include "common/base/hash.h"

namespace phasor::worker {

Taker::Taker(queue::Consumer& queue, const Clock& clock, TakerConfig config)
    : queue_(queue), clock_(clock), config_(std::move(config)) {}

StatusOr<std::optional<Taker::Taken>> Taker::Take(const std::vector<std::string>& models) {
  const SteadyTime now = clock_.Steady();
  if (nonce_.empty() || now - sent_ >= config_.lease) {
    nonce_ = RandomToken();
    sent_ = now;
  }
  auto grant = queue_.Take({.worker = config_.worker,
                            .node = config_.node,
                            .nonce = nonce_,
                            .models = models,
                            .lease = config_.lease});
  if (!grant.ok()) {
    if (grant.status().code() != StatusCode::kUnavailable) nonce_.clear();
    return grant.status();
  }
  nonce_.clear();
  if (!grant->has_value()) return std::optional<Taken>();
  return std::optional<Taken>(Taken{**std::move(grant), sent_});
}

bool Taker::MayHoldJob() const {
  return !nonce_.empty() && clock_.Steady() - sent_ < config_.lease;
}

}  // namespace phasor::worker
