#include "common/tls/handshake_probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <openssl/err.h>

#include "common/tls/client_side.h"
#include "common/tls/context.h"

namespace phasor::tls {
namespace {

constexpr char kUnix[] = "unix:";
// HTTP/2, without which gRPC servers hang up.
constexpr unsigned char kH2[] = {2, 'h', '2'};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Probe {
  const Peer& peer;
  SteadyTime end;

  int MillisLeft() const {
    const auto left = std::chrono::ceil<Millis>(end - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<int64_t>(0, left.count()));
  }
};

bool ConnectWithin(int fd, const sockaddr* address, socklen_t size, int millis) {
  if (connect(fd, address, size) == 0) return true;
  pollfd waited{fd, POLLOUT, 0};
  if (errno != EINPROGRESS || poll(&waited, 1, millis) != 1) return false;
  int error = 0;
  socklen_t length = sizeof(error);
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

// Negative: nobody there.
Descriptor Reach(const Probe& probe) {
  const std::string& address = probe.peer.address;
  constexpr int kKind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (address.rfind(kUnix, 0) == 0) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    address.copy(name.sun_path, sizeof(name.sun_path) - 1, sizeof(kUnix) - 1);
    Descriptor fd(socket(AF_UNIX, kKind, 0));
    const bool there = ConnectWithin(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof(name),
                                     probe.MillisLeft());
    return there ? std::move(fd) : Descriptor(-1);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = address.substr(address.rfind(':') + 1);
  if (getaddrinfo(HostOf(address).c_str(), port.c_str(), &hints, &found) != 0) {
    return Descriptor(-1);
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Descriptor fd(socket(each->ai_family, kKind, 0));
    if (ConnectWithin(fd.get(), each->ai_addr, each->ai_addrlen, probe.MillisLeft())) return fd;
  }
  return Descriptor(-1);
}

// Runs `step` until it is done or can't go on. False: time is over or the other side is gone.
template <typename Step>
bool Drive(SSL* ssl, const Probe& probe, const Step& step) {
  for (;;) {
    const int done = step();
    if (done > 0) return true;
    const int wanted = SSL_get_error(ssl, done);
    if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE) return false;
    pollfd waited{SSL_get_fd(ssl),
                  static_cast<short>(wanted == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (poll(&waited, 1, probe.MillisLeft()) != 1) return false;
  }
}

// To a client that speaks plain text a server that answers a TLS greeting is a foreign one.
Status ExplainPlain(SSL* ssl, const Probe& probe) {
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  if (!Drive(ssl, probe, [ssl] { return SSL_connect(ssl); })) {
    const unsigned long error = ERR_peek_error();
    const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    if (reason < SSL_AD_REASON_OFFSET) return OkStatus();  // no alert: it speaks something else
  }
  return FailedPrecondition(probe.peer.address + " speaks TLS");
}

}  // namespace

Status ExplainFailure(const Peer& peer, const Material& material, Millis patience) {
  const Probe probe{peer, std::chrono::steady_clock::now() + patience};
  const Descriptor fd = Reach(probe);
  if (fd.get() < 0) return OkStatus();
  ASSIGN_OR_RETURN(const ContextHandle context, MakeClientContext(material));
  const std::string name = peer.server_name.empty() ? HostOf(peer.address) : peer.server_name;
  const Conversation conversation(context.get(), fd.get(), peer.address, name);
  SSL* const ssl = conversation.ssl();
  SSL_set_alpn_protos(ssl, kH2, sizeof(kH2));
  if (!peer.tls) return ExplainPlain(ssl, probe);
  char byte = 0;
  // In TLS 1.3 the server looks at the client's certificate after the client's last word.
  if (Drive(ssl, probe, [ssl] { return SSL_connect(ssl); }) &&
      Drive(ssl, probe, [&] { return SSL_read(ssl, &byte, 1); })) {
    return OkStatus();
  }
  return conversation.Explain();
}

}  // namespace phasor::tls
