// What a client's TLS connections have in common, made anew when its files were replaced.
// Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"
#include "common/tls/openssl_handle.h"
#include "common/tls/source.h"

namespace phasor::tls {

class ClientContext {
 public:
  // No files: the system's authorities, no certificate. Errors as of ReadMaterial. The clock
  // outlives the context.
  static StatusOr<std::shared_ptr<ClientContext>> Open(const Files& files, const Clock* clock);

  // For the next connection. Files that are wrong leave in use what was read before.
  StatusOr<std::shared_ptr<SSL_CTX>> Current();

 private:
  explicit ClientContext(std::shared_ptr<Source> source) : source_(std::move(source)) {}

  const std::shared_ptr<Source> source_;
  Mutex mu_;
  std::shared_ptr<const Material> made_from_ GUARDED_BY(mu_);
  std::shared_ptr<SSL_CTX> context_ GUARDED_BY(mu_);
};

}  // namespace phasor::tls
