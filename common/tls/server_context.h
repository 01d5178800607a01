// What a server's TLS connections have in common, made anew when its files were replaced. For
// servers that are not gRPC's, which reads its certificates by itself
// (common/rpc/tls_credentials.h). Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/tls/openssl_handle.h"
#include "common/tls/source.h"

namespace phasor::tls {

class ServerContext {
 public:
  using Trouble = std::function<void(const Status&)>;

  // `files` name a certificate and its key, and perhaps the authorities that vouch for clients, who
  // must show a certificate then. `on_trouble` hears once of each thing that is wrong with them
  // later. INVALID_ARGUMENT: authorities alone. Errors as of ReadMaterial. The clock outlives the
  // context.
  static StatusOr<std::shared_ptr<ServerContext>> Open(const Files& files, const Clock* clock,
                                                       Trouble on_trouble);

  // For the next connection; looks at the files once a second at most. Files that are wrong leave
  // in use what was read before.
  std::shared_ptr<SSL_CTX> Current();

 private:
  ServerContext(std::shared_ptr<Source> source, const Clock* clock, Trouble on_trouble)
      : source_(std::move(source)), clock_(clock), on_trouble_(std::move(on_trouble)) {}
  Status Look() REQUIRES_LOCK(mu_);
  Status Renew() REQUIRES_LOCK(mu_);

  const std::shared_ptr<Source> source_;
  const Clock* const clock_;
  const Trouble on_trouble_;
  Mutex mu_;
  SteadyTime looked_ GUARDED_BY(mu_);
  std::shared_ptr<const Material> made_from_ GUARDED_BY(mu_);
  std::shared_ptr<SSL_CTX> context_ GUARDED_BY(mu_);  // never null once it is open
  Status told_ GUARDED_BY(mu_);
};

}  // namespace phasor::tls
