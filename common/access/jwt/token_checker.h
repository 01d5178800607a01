// Signed tokens (JWT), verified by libjose, EdDSA by OpenSSL. Only signatures with an issuer's
// private key count: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, and EdDSA with
// Ed25519, by a key that fits the algorithm and says nothing against it. "none" and shared secrets
// (HS*) never do. Tokens that were found good are remembered until they are over or the issuer's
// keys change.
//
// Thread-safe; Refresh is called by one thread and may block for some seconds.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/access/authenticator.h"
#include "common/access/claims.h"
#include "common/access/jwt/jwks_source.h"

namespace phasor::access {

class TokenChecker final : public TokenVerifier {
 public:
  // INVALID_ARGUMENT as of Validate. `clock` outlives it.
  static StatusOr<std::unique_ptr<TokenChecker>> Make(const TokenRules& rules, const Clock* clock);
  ~TokenChecker() override;

  Judged Check(std::string_view token, int64_t now_ms) override;
  Status Refresh() override;

 private:
  struct KeySet;
  TokenChecker(TokenRules rules, const Clock* clock);

  std::shared_ptr<const KeySet> keys();
  Status Take(StatusOr<std::string> text);
  Judged Verify(std::string_view token, const KeySet& keys, int64_t now_ms);

  const TokenRules rules_;
  JwksSource source_;                  // Refresh's
  std::string text_;                   // likewise; of the keys in use
  Status last_;                        // likewise; what came of reading them
  std::atomic<bool> missing_ = false;  // a token named a key that is not there

  Mutex mu_;
  std::shared_ptr<const KeySet> keys_ GUARDED_BY(mu_);
  std::map<std::string, Judged> known_ GUARDED_BY(mu_);  // by a token's digest
};

}  // namespace phasor::access
