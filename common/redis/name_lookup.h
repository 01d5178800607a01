// A host's name as addresses, within a time limit: the system's own lookup has none that a caller
// could set. A lookup that hangs is left to itself, and whoever asks for the same name meanwhile
// waits for that one. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"

namespace phasor::redis {

// Numeric addresses of a name, the preferred one first; may block for long.
using AskForName = std::function<StatusOr<std::vector<std::string>>(const std::string& host)>;

// What the system says: /etc/hosts, DNS and so on. UNAVAILABLE names the host.
StatusOr<std::vector<std::string>> AskSystemForName(const std::string& host);

class NameLookup {
 public:
  // `ask` runs on a thread of its own, which may outlive the object.
  explicit NameLookup(AskForName ask = AskSystemForName);

  // Never an empty list. A numeric address is its own answer. UNAVAILABLE: nobody knows the name,
  // or not within `limit`.
  StatusOr<std::vector<std::string>> Find(const std::string& host, Millis limit);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace phasor::redis
