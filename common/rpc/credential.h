// The credential that a client's calls carry: an API key or a token, from a file, so that it stands
// on no command line and may be replaced at any time. What is replaced there goes with the calls
// that begin a second later. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/support/client_interceptor.h>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::rpc {

class Credential {
 public:
  // FAILED_PRECONDITION names the file: it can't be read, or what it holds can't be a credential.
  static StatusOr<std::shared_ptr<Credential>> Open(const std::string& path, const Clock* clock);

  // For the header `authorization`. While the file can't be read: what it last said.
  std::string Header();

 private:
  Credential(std::string path, const Clock* clock, std::string word);

  const std::string path_;
  const Clock* const clock_;

  Mutex mu_;
  std::string word_ GUARDED_BY(mu_);
  SteadyTime looked_ GUARDED_BY(mu_);
};

// Puts it on every call of a channel.
std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface> MakeCarrier(
    std::shared_ptr<Credential> credential);

}  // namespace phasor::rpc
