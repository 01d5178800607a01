// An issuer's public keys as text, from a file or a URL. One thread.
#pragma once

#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/http/client.h"

namespace phasor::access {

class JwksSource {
 public:
  // `where`: a file, or a URL. `clock` outlives it.
  JwksSource(std::string where, const Clock* clock) : where_(std::move(where)), clock_(clock) {}

  // Whether to read now: a file always, a URL five minutes after the last time, and after ten
  // seconds where `eager` says that what it had was not enough.
  bool IsDue(bool eager) const;
  // UNAVAILABLE: nobody answers with a document. INVALID_ARGUMENT: it is too large.
  StatusOr<std::string> Read();

 private:
  bool is_url() const;
  StatusOr<std::string> Fetch();

  const std::string where_;
  const Clock* const clock_;
  http::Client client_{{.whole = Millis(5'000)}};
  std::optional<SteadyTime> asked_;
};

}  // namespace phasor::access
