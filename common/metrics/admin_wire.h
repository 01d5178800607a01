// One accepted connection of the operations port, in plain text or with TLS. No call waits for the
// other side. One thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string_view>

#include "common/tls/openssl_handle.h"

namespace phasor::metrics {

class AdminWire {
 public:
  // Takes `fd`, which does not block. Without a context: plain text.
  AdminWire(int fd, const std::shared_ptr<SSL_CTX>& context);
  ~AdminWire();
  AdminWire(const AdminWire&) = delete;
  AdminWire& operator=(const AdminWire&) = delete;

  // Bytes; 0: it is over, closed by the other side or broken; below zero: not now, but when poll
  // says wanted().
  ssize_t Receive(char* buffer, size_t size);
  ssize_t Send(std::string_view bytes);
  // Nothing is sent any more; the other side hears of it.
  void EndSending();

  int fd() const { return fd_; }
  short wanted() const { return wanted_; }

 private:
  ssize_t Outcome(ssize_t done, short wanted);

  const int fd_;
  short wanted_;
  // The context outlives the connection.
  const std::shared_ptr<SSL_CTX> context_;
  tls::ConnectionHandle ssl_;  // null: plain text
};

}  // namespace phasor::metrics
