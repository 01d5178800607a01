// HTTP with AWS's signature (version 4), by libcurl. Thread-safe: each request borrows a handle of
// a pool, whose connections stay open between requests.
//
// Proxies are taken from the environment as libcurl does (https_proxy, no_proxy). Redirects are
// not followed: a signature is for one host. Secrets appear in no message.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/storage/s3/http_transport.h"

namespace phasor::storage {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
};

struct CurlTransportOptions {
  std::string endpoint;  // scheme, host and port: "https://s3.eu-central-1.amazonaws.com"
  std::string region = "us-east-1";
  AwsCredentials credentials = {};
  // Files instead of these, read anew for each request, so that keys can be replaced.
  std::string key_id_file = {};
  std::string secret_file = {};
  Millis connect_timeout{3'000};
  Millis request_timeout{30'000};  // of one request as a whole
};

class CurlTransport final : public HttpTransport {
 public:
  explicit CurlTransport(CurlTransportOptions options);
  ~CurlTransport() override;

  StatusOr<HttpReply> Send(const HttpRequest& request) override;

 private:
  class Handle;
  StatusOr<AwsCredentials> Credentials() const;
  std::unique_ptr<Handle> Borrow();
  void GiveBack(std::unique_ptr<Handle> handle);

  const CurlTransportOptions options_;
  Mutex mu_;
  std::vector<std::unique_ptr<Handle>> idle_ GUARDED_BY(mu_);
};

}  // namespace phasor::storage
