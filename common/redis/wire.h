// The socket to a Redis, in plain text or within TLS. Bytes in and out; it knows no commands.
// One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/redis/name_lookup.h"
#include "common/redis/redis_url.h"
#include "common/tls/client_context.h"
#include "common/tls/client_side.h"

namespace phasor::redis {

// A connected socket that does not block; closed with the object.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

class Wire {
 public:
  // Reaches the first of the host's addresses that answers, and shakes hands if the address asks
  // for TLS. UNAVAILABLE: nobody answers before `end`. FAILED_PRECONDITION: what is wrong with a
  // certificate.
  static StatusOr<std::unique_ptr<Wire>> Connect(const RedisAddress& address, NameLookup& names,
                                                 tls::ClientContext* tls, SteadyTime end);

  // How many bytes went out or came in; 0: none can now, and Wait says when. UNAVAILABLE with the
  // bare reason.
  StatusOr<size_t> Send(std::string_view bytes);
  StatusOr<size_t> Receive(char* to, size_t room);

  // Until the last Send or Receive that gave 0 may go on, `end`, or `wake` (-1: none) is readable.
  enum class Woken { kReady, kTimeout, kWake };
  StatusOr<Woken> Wait(SteadyTime end, int wake) const;

  // While nothing is due to come: whether something did, which can only be the end.
  bool IsClosed();

 private:
  explicit Wire(Descriptor fd) : fd_(std::move(fd)) {}
  Status Secure(const std::string& peer, const RedisAddress& address, tls::ClientContext* tls,
                SteadyTime end);
  // What became of a step of TLS that gave `done`.
  StatusOr<size_t> Outcome(int done, size_t bytes);

  Descriptor fd_;
  std::shared_ptr<SSL_CTX> context_;
  std::unique_ptr<tls::Conversation> conversation_;  // null: plain text
  short wanted_ = 0;                                 // events of poll
};

}  // namespace phasor::redis
