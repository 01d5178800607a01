// Requests of the S3 store by the HTTP client, with AWS's signature (version 4). Thread-safe.
#pragma once

#include <string>

#include "common/base/clock.h"
#include "common/http/client.h"
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

  StatusOr<HttpReply> Send(const HttpRequest& request) override;

 private:
  StatusOr<AwsCredentials> Credentials() const;

  const CurlTransportOptions options_;
  http::Client client_;
};

}  // namespace phasor::storage
