// From the credential of a call to who calls. Keys are those of a store as it was at the last
// Refresh: a call asks nobody, a key that was made or revoked counts from the next Refresh on, and
// while the store does not answer the keys are those that it had. Tokens are a verifier's matter.
//
// Thread-safe; Refresh blocks on the store, the others do not.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/access/identity.h"
#include "common/access/key_store.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace phasor::access {

// What is wrong with a credential: for the audit and metrics, never for the caller.
enum class Trouble { kNone, kMissing, kMalformed, kUnknown, kWrong, kOver, kForeign, kUnavailable };
// A word of [a-z_].
std::string_view ToString(Trouble trouble);

// A credential as it was judged.
struct Judged {
  Trouble trouble = Trouble::kMissing;
  std::shared_ptr<const Identity> identity;  // where there is no trouble
  std::string key_id;                        // of a key, good or not; empty: it is none
};

// Of signed tokens; the adapter knows the library.
class TokenVerifier {
 public:
  virtual ~TokenVerifier() = default;
  virtual Judged Check(std::string_view token, int64_t now_ms) = 0;
  virtual Status Refresh() = 0;
};

class Authenticator {
 public:
  struct Parts {  // all outlive it; either may be null
    KeyStore* keys = nullptr;
    TokenVerifier* tokens = nullptr;
    const Clock* clock = nullptr;
  };
  explicit Authenticator(const Parts& parts) : parts_(parts) {}

  // False: nobody needs a credential, for none is configured.
  bool required() const { return parts_.keys != nullptr || parts_.tokens != nullptr; }

  // What to do every second. Apart, for an issuer far away may keep RefreshTokens waiting.
  Status Refresh();
  Status RefreshTokens();

  // `authorization`: the header, "Bearer <key or token>".
  Judged Check(std::string_view authorization) const;
  // Whether a credential that was good is good now: not revoked, not over.
  bool Holds(const Judged& judged) const;

 private:
  struct Entry {
    KeyRecord record;
    std::shared_ptr<const Identity> identity;
  };
  struct Keys {
    std::map<std::string, Entry, std::less<>> by_id;
    std::string version;
  };

  std::shared_ptr<const Keys> keys() const;
  Judged CheckKey(const KeyParts& parts) const;

  const Parts parts_;
  mutable Mutex mu_;
  std::shared_ptr<const Keys> keys_ GUARDED_BY(mu_);  // null: never read
};

}  // namespace phasor::access
