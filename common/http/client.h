// HTTP requests by libcurl. Thread-safe: each request borrows a handle of a pool, whose connections
// stay open between requests.
//
// Proxies are taken from the environment as libcurl does (https_proxy, no_proxy). Redirects are not
// followed. Headers, bodies and signatures appear in no message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/status.h"

namespace phasor::http {

// AWS's, version 4.
struct Signature {
  std::string scheme;  // "aws:amz:eu-central-1:s3"
  std::string key_id;
  std::string secret;
};

struct Request {
  std::string method = "GET";
  std::string url;                        // percent-encoded
  std::vector<std::string> headers = {};  // "Name: value"
  std::string_view body = {};             // of PUT and POST; not copied, lives until Send returns
  size_t max_reply_bytes = 1 << 20;
  std::optional<Signature> signature = {};
};

struct Reply {
  int status = 0;  // 100 to 599
  std::string body;
};

struct Timeouts {
  Millis connect{3'000};
  Millis whole{30'000};  // of one request
};

class Client {
 public:
  explicit Client(Timeouts timeouts = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // UNAVAILABLE if no whole reply came: the request may have taken effect. RESOURCE_EXHAUSTED if
  // the reply is larger than allowed. Both name scheme, host and port alone.
  StatusOr<Reply> Send(const Request& request);

 private:
  class Handle;
  std::unique_ptr<Handle> Borrow();
  void GiveBack(std::unique_ptr<Handle> handle);

  const Timeouts timeouts_;
  Mutex mu_;
  std::vector<std::unique_ptr<Handle>> idle_ GUARDED_BY(mu_);
};

}  // namespace phasor::http
