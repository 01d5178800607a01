#include "common/redis/wire.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <openssl/err.h>

namespace phasor::redis {
namespace {

constexpr int kSocketKind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

int MillisUntil(SteadyTime end) {
  return static_cast<int>(std::max<int64_t>(0, std::chrono::ceil<Millis>(end - Now()).count()));
}

Status Failed(int error) { return Unavailable(std::strerror(error)); }

Status ConnectWithin(int fd, const sockaddr* address, socklen_t size, SteadyTime end) {
  if (fd < 0) return Failed(errno);
  if (connect(fd, address, size) == 0) return OkStatus();
  if (errno != EINPROGRESS) return Failed(errno);
  pollfd waited{fd, POLLOUT, 0};
  int ready = 0;
  do {
    ready = poll(&waited, 1, MillisUntil(end));
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) return Failed(ETIMEDOUT);
  int error = 0;
  socklen_t length = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return Failed(errno);
  return error == 0 ? OkStatus() : Failed(error);
}

// A peer that vanished is noticed by pings of the system's; commands do not wait to be joined.
void TuneTcp(int fd) {
  constexpr std::pair<int, int> kOptions[] = {
      {TCP_NODELAY, 1}, {TCP_KEEPIDLE, 15}, {TCP_KEEPINTVL, 5}, {TCP_KEEPCNT, 3}};
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  for (const auto& [name, value] : kOptions) {
    setsockopt(fd, IPPROTO_TCP, name, &value, sizeof(value));
  }
}

StatusOr<Descriptor> ReachUnix(const std::string& path, SteadyTime end) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof(name.sun_path) - 1);
  Descriptor fd(socket(AF_UNIX, kSocketKind, 0));
  RETURN_IF_ERROR(
      ConnectWithin(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name), end));
  return fd;
}

StatusOr<Descriptor> ReachHost(const std::string& host, int port, SteadyTime end) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) return Unavailable(gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  Descriptor fd(socket(found->ai_family, kSocketKind, 0));
  RETURN_IF_ERROR(ConnectWithin(fd.get(), found->ai_addr, found->ai_addrlen, end));
  TuneTcp(fd.get());
  return fd;
}

// The first of the host's addresses that answers; each gets its share of the time.
StatusOr<Descriptor> Reach(const RedisAddress& address, NameLookup& names, SteadyTime end) {
  if (!address.socket.empty()) return ReachUnix(address.socket, end);
  const auto left = std::chrono::ceil<Millis>(end - Now());
  ASSIGN_OR_RETURN(const auto hosts, names.Find(address.host, left));
  StatusOr<Descriptor> reached = Unavailable("the name has no address");
  for (size_t i = 0; i < hosts.size() && !reached.ok(); ++i) {
    const auto share = (end - Now()) / static_cast<int64_t>(hosts.size() - i);
    reached = ReachHost(hosts[i], address.port, Now() + std::max(share, {Millis(1)}));
  }
  return reached;
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

StatusOr<std::unique_ptr<Wire>> Wire::Connect(const RedisAddress& address, NameLookup& names,
                                              tls::ClientContext* tls, SteadyTime end) {
  ASSIGN_OR_RETURN(Descriptor fd, Reach(address, names, end));
  std::unique_ptr<Wire> wire(new Wire(std::move(fd)));
  if (address.tls) RETURN_IF_ERROR(wire->Secure(ToString(address), address, tls, end));
  return wire;
}

Status Wire::Secure(const std::string& peer, const RedisAddress& address, tls::ClientContext* tls,
                    SteadyTime end) {
  if (tls == nullptr) return FailedPrecondition("no authorities were given for TLS");
  ASSIGN_OR_RETURN(context_, tls->Current());
  conversation_ =
      std::make_unique<tls::Conversation>(context_.get(), fd_.get(), peer, address.host);
  for (;;) {
    ERR_clear_error();
    const int done = SSL_connect(conversation_->ssl());
    if (done == 1) return OkStatus();
    const auto outcome = Outcome(done, 0);
    if (!outcome.ok()) {
      const Status explained = conversation_->Explain();
      return explained.ok() ? outcome.status() : explained;
    }
    ASSIGN_OR_RETURN(const Woken woken, Wait(end, -1));
    if (woken == Woken::kTimeout)
      return Unavailable(
          "it does not answer the TLS handshake; perhaps it speaks plain text, which is redis://");
  }
}

StatusOr<size_t> Wire::Outcome(int done, size_t bytes) {
  if (done > 0) return bytes;
  switch (SSL_get_error(conversation_->ssl(), done)) {
    case SSL_ERROR_WANT_READ:
      wanted_ = POLLIN;
      return size_t{0};
    case SSL_ERROR_WANT_WRITE:
      wanted_ = POLLOUT;
      return size_t{0};
    case SSL_ERROR_ZERO_RETURN:
      return Unavailable("Server closed the connection");
    default: {
      const Status explained = conversation_->Explain();
      if (!explained.ok()) return Unavailable(Message(explained));
      const unsigned long error = ERR_peek_error();
      const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
      return Unavailable(reason == nullptr ? "Server closed the connection" : reason);
    }
  }
}

StatusOr<size_t> Wire::Send(std::string_view bytes) {
  if (conversation_ != nullptr) {
    size_t sent = 0;
    ERR_clear_error();
    const int done = SSL_write_ex(conversation_->ssl(), bytes.data(), bytes.size(), &sent);
    return Outcome(done, sent);
  }
  const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno != EAGAIN && errno != EINTR) return Failed(errno);
  wanted_ = POLLOUT;
  return size_t{0};
}

StatusOr<size_t> Wire::Receive(char* to, size_t room) {
  if (conversation_ != nullptr) {
    size_t got = 0;
    ERR_clear_error();
    const int done = SSL_read_ex(conversation_->ssl(), to, room, &got);
    return Outcome(done, got);
  }
  const ssize_t got = recv(fd_.get(), to, room, 0);
  if (got > 0) return static_cast<size_t>(got);
  if (got == 0) return Unavailable("Server closed the connection");
  if (errno != EAGAIN && errno != EINTR) return Failed(errno);
  wanted_ = POLLIN;
  return size_t{0};
}

StatusOr<Wire::Woken> Wire::Wait(SteadyTime end, int wake) const {
  pollfd waited[] = {{fd_.get(), wanted_, 0}, {wake, POLLIN, 0}};
  for (;;) {
    const int ready = poll(waited, 2, MillisUntil(end));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return Failed(errno);
    if (ready == 0) return Woken::kTimeout;
    return waited[1].revents != 0 ? Woken::kWake : Woken::kReady;
  }
}

bool Wire::IsClosed() {
  pollfd waited{fd_.get(), POLLIN, 0};
  if (poll(&waited, 1, 0) == 0) return false;
  if (conversation_ == nullptr) return true;
  // Tickets for later sessions come when they like.
  char byte = 0;
  size_t got = 0;
  ERR_clear_error();
  const int done = SSL_peek_ex(conversation_->ssl(), &byte, 1, &got);
  return done > 0 || SSL_get_error(conversation_->ssl(), done) != SSL_ERROR_WANT_READ;
}

}  // namespace phasor::redis
