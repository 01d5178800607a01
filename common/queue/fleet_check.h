// Whether a process may serve in its fleet: what the queue stands on will do, its result store is
// the fleet's, and so is its secret. Look asks, now and then and after each reconnect; the verdict
// is kept until the next one. What can't be asked leaves it as it is.
//
// Look: one thread. The rest is thread-safe.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/queue/foundation.h"

namespace phasor::queue {

class FleetCheck {
 public:
  struct Parts {
    Foundation* foundation = nullptr;  // outlives the check
    const Clock* clock = nullptr;      // likewise
    // The result store's id, given the one that the fleet remembers ("": none, then the store may
    // get one). FAILED_PRECONDITION: it is another store; UNAVAILABLE: it can't be asked.
    std::function<StatusOr<std::string>(const std::string& remembered)> identify_store;
    // Whether no job has ended there yet; null: not known.
    std::function<StatusOr<bool>()> store_is_new = nullptr;
    std::string secret;  // that names jobs; "": this process has none
    bool allow_job_loss = false;
  };
  explicit FleetCheck(Parts parts);

  // Asks if it is time to. Returns ready().
  Status Look();

  // OK, or what is wrong or not known yet.
  Status ready() const;
  // Like ready, but only what makes it harmful to serve: another store or secret than the fleet's,
  // or nothing known yet. All else is for people to mend while the process goes on.
  Status serve() const;
  // Why the process should end: what answered first was wrong, so it has never been of use. OK once
  // it has been ready.
  Status refused() const;
  // Why accepted jobs may be lost; empty: they are not.
  std::string job_loss() const;

 private:
  struct Verdict {
    Status ready = Unavailable("the queue has not answered yet");
    Status serve = Unavailable("the queue has not answered yet");
    std::string job_loss;
    std::string instance;  // as Footing has it
  };
  Verdict Ask(Verdict last);
  Status AskFooting(Verdict* verdict);
  Status AskFacts(const std::string& instance);
  Status AskStore(const std::string& instance);
  Status AskSecret();

  const Parts parts_;
  SteadyTime asked_;          // of the last verdict; Look's thread
  int64_t connections_ = -1;  // likewise

  mutable Mutex mu_;
  Verdict verdict_ GUARDED_BY(mu_);
  bool was_ready_ GUARDED_BY(mu_) = false;
};

// What a secret is known by without being told: nobody can make job ids with it.
std::string SecretFingerprint(const std::string& secret);

}  // namespace phasor::queue
