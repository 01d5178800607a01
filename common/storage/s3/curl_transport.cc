#include "common/storage/s3/curl_transport.h"

#include <utility>

#include "common/base/hash.h"
#include "common/base/secret_file.h"
#include "common/storage/s3/uri.h"

namespace phasor::storage {

CurlTransport::CurlTransport(CurlTransportOptions options)
    : options_(std::move(options)),
      client_({.connect = options_.connect_timeout, .whole = options_.request_timeout}) {}

StatusOr<AwsCredentials> CurlTransport::Credentials() const {
  if (options_.key_id_file.empty()) return options_.credentials;
  AwsCredentials credentials;
  ASSIGN_OR_RETURN(credentials.access_key_id, ReadSecretFile(options_.key_id_file));
  ASSIGN_OR_RETURN(credentials.secret_access_key, ReadSecretFile(options_.secret_file));
  return credentials;
}

StatusOr<HttpReply> CurlTransport::Send(const HttpRequest& request) {
  ASSIGN_OR_RETURN(const AwsCredentials credentials, Credentials());
  http::Request signed_request{
      .method = request.method,
      .url = options_.endpoint + request.path,
      .headers = request.headers,
      .body = request.body,
      .max_reply_bytes = request.max_reply_bytes,
      .signature = http::Signature{.scheme = "aws:amz:" + options_.region + ":s3",
                                   .key_id = credentials.access_key_id,
                                   .secret = credentials.secret_access_key}};
  if (!request.query.empty()) signed_request.url += "?" + EncodeQuery(request.query);
  signed_request.headers.push_back("x-amz-content-sha256: " + Sha256Hex(request.body));
  if (!credentials.session_token.empty()) {
    signed_request.headers.push_back("x-amz-security-token: " + credentials.session_token);
  }
  ASSIGN_OR_RETURN(http::Reply reply, client_.Send(signed_request));
  return HttpReply{reply.status, std::move(reply.body)};
}

}  // namespace phasor::storage
