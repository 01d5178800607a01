// The seam between what the S3 store says and how it is sent: libcurl in production, a script of
// answers in tests. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace phasor::storage {

struct HttpRequest {
  std::string method;
  std::string path = {};                          // percent-encoded, begins with '/'
  std::map<std::string, std::string> query = {};  // names and values as they are
  std::vector<std::string> headers = {};          // "Name: value"
  std::string_view body = {};                     // lives until Send returns
  size_t max_reply_bytes = 1 << 20;
};

struct HttpReply {
  int status = 0;  // 100 to 599
  std::string body;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  // Signs and sends. UNAVAILABLE if no whole reply came: the request may have taken effect.
  // RESOURCE_EXHAUSTED if the reply is larger than allowed.
  virtual StatusOr<HttpReply> Send(const HttpRequest& request) = 0;
};

}  // namespace phasor::storage
