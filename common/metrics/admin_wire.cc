#include "common/metrics/admin_wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <openssl/err.h>

namespace phasor::metrics {

AdminWire::AdminWire(int fd, const std::shared_ptr<SSL_CTX>& context)
    : fd_(fd), wanted_(POLLIN), context_(context) {
  if (context_ == nullptr) return;
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  SSL_set_accept_state(ssl_.get());
}

AdminWire::~AdminWire() { close(fd_); }

ssize_t AdminWire::Receive(char* buffer, size_t size) {
  if (ssl_ == nullptr) return Outcome(recv(fd_, buffer, size, 0), POLLIN);
  ERR_clear_error();
  return Outcome(SSL_read(ssl_.get(), buffer, static_cast<int>(size)), POLLIN);
}

ssize_t AdminWire::Send(std::string_view bytes) {
  if (ssl_ == nullptr) return Outcome(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), POLLOUT);
  constexpr size_t kAtOnce = 64 << 10;
  ERR_clear_error();
  const int size = static_cast<int>(std::min(bytes.size(), kAtOnce));
  return Outcome(SSL_write(ssl_.get(), bytes.data(), size), POLLOUT);
}

void AdminWire::EndSending() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  shutdown(fd_, SHUT_WR);
  wanted_ = POLLIN;
}

ssize_t AdminWire::Outcome(ssize_t done, short wanted) {
  wanted_ = wanted;
  if (done > 0) return done;
  if (ssl_ == nullptr) return done < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
  const int error = SSL_get_error(ssl_.get(), static_cast<int>(done));
  ERR_clear_error();
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return 0;
  wanted_ = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
  return -1;
}

}  // namespace phasor::metrics
