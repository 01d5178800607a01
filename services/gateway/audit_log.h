// What a fleet must be able to look up afterwards: calls that were refused, and what operators did.
// A line of JSON each: when, who, from where, what, and what came of it; never a prompt, never a
// secret. A flood of refusals is cut, and a line says how many were left out.
// Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::gateway {

struct AuditEntry {
  std::string event;  // "refused", "called", "ended", "key made", "key revoked"
  std::string who;    // "key mjs7...", "token alice"; empty: nobody knows
  std::string tenant;
  std::string from;  // the peer's address
  std::string method;
  std::string outcome;  // a reason, or a status code's name
  // Of a key that was made or revoked.
  std::string key = {};  // its id
  std::string name = {};
  std::string roles = {};
  int64_t at_ms = 0;  // 0: now
};

// One line without its end. Pure.
std::string AuditLine(int64_t now_ms, const AuditEntry& entry);

class AuditLog {
 public:
  using Sink = std::function<void(const std::string& line)>;

  struct Pace {
    double per_second = 50;
    double burst = 500;
  };

  // `clock` outlives the log.
  AuditLog(Sink sink, const Clock* clock, const Pace& pace);
  AuditLog(Sink sink, const Clock* clock) : AuditLog(std::move(sink), clock, Pace()) {}

  // "off", "stderr", or a file that lines are added to; it may be moved away, as logrotate does.
  // FAILED_PRECONDITION: it can't be written.
  static StatusOr<std::unique_ptr<AuditLog>> Open(const std::string& where, const Clock* clock);

  void Write(const AuditEntry& entry);

 private:
  struct Bucket {
    double tokens = 0;
    SteadyTime filled;
    int64_t left_out = 0;
  };
  bool Admit(Bucket* bucket, const std::string& event) REQUIRES_LOCK(mu_);

  const Sink sink_;
  const Clock* const clock_;
  const Pace pace_;

  Mutex mu_;
  // Apart, so that a flood of refusals leaves room for what operators do.
  Bucket refusals_ GUARDED_BY(mu_);
  Bucket deeds_ GUARDED_BY(mu_);
};

}  // namespace phasor::gateway
