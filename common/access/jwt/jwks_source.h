// An issuer's public keys as text, from a file or a URL. What was read stays while nothing better
// comes. One thread.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace phasor::access {

class JwksSource {
 public:
  // `where`: a file, or a URL. `clock` outlives it.
  JwksSource(std::string where, const Clock* clock) : where_(std::move(where)), clock_(clock) {}

  // New text where there may be some: a file is read each time, a URL every five minutes, and ten
  // seconds after the last time where `eager` says that a key is missing.
  StatusOr<std::optional<std::string>> Look(bool eager);

 private:
  bool is_url() const;

  const std::string where_;
  const Clock* const clock_;
  std::optional<SteadyTime> asked_;
};

}  // namespace phasor::access
