#include "services/cli/up/probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>

#include <grpcpp/client_context.h>

#include "common/rpc/channel.h"
#include "phasor/v1/admin.grpc.pb.h"

namespace phasor::cli {
namespace {

class Socket {
 public:
  explicit Socket(int family) : descriptor_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval second{.tv_sec = 1, .tv_usec = 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
  }
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

bool ConnectUnix(const Socket& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return false;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

// "[::1]:80" and "host:80" apart; the host empty when there is no port.
std::pair<std::string, std::string> HostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {};
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return {host, address.substr(colon + 1)};
}

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

AddressList Resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) found = nullptr;
  return {found, freeaddrinfo};
}

}  // namespace

bool RedisAnswers(const std::string& path) {
  const Socket socket(AF_UNIX);
  if (!ConnectUnix(socket, path)) return false;
  constexpr char kPing[] = "PING\r\n";
  char reply[8] = {};
  return send(socket.get(), kPing, sizeof(kPing) - 1, MSG_NOSIGNAL) > 0 &&
         recv(socket.get(), reply, sizeof(reply) - 1, 0) > 0 &&
         std::strncmp(reply, "+PONG", 5) == 0;
}

bool IsListening(const std::string& address) {
  if (address.starts_with("unix:")) {
    return ConnectUnix(Socket(AF_UNIX), address.substr(strlen("unix:")));
  }
  const auto [host, port] = HostAndPort(address);
  const AddressList found = Resolve(host == "0.0.0.0" || host == "::" ? "localhost" : host, port);
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    const Socket socket(at->ai_family);
    if (connect(socket.get(), at->ai_addr, at->ai_addrlen) == 0) return true;
  }
  return false;
}

bool WorkersReady(const std::string& address, const std::string& credential_file,
                  const rpc::ClientTlsWords& words) {
  static const SystemClock clock;
  std::shared_ptr<rpc::Credential> credential;
  if (!credential_file.empty()) {
    auto opened = rpc::Credential::Open(credential_file, &clock);
    if (!opened.ok()) return false;
    credential = *std::move(opened);
  }
  const auto tls = rpc::OpenClientTls(words, &clock);
  if (!tls.ok()) return false;
  const auto channel =
      rpc::MakeChannel({.address = address, .credential = credential, .tls = *tls});
  if (!channel.ok()) return false;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  v1::StatsResponse stats;
  if (!v1::Admin::NewStub(*channel)->Stats(&context, {}, &stats).ok()) return false;
  for (const v1::WorkerStats& worker : stats.workers()) {
    if (worker.state() == "idle" || worker.state() == "busy") return true;
  }
  return false;
}

StatusOr<std::string> WithFreePort(const std::string& address) {
  if (address.starts_with("unix:") || !address.ends_with(":0")) return address;
  const auto [host, port] = HostAndPort(address);
  const AddressList found = Resolve(host, port);
  if (found == nullptr) return InvalidArgument("--listen: there is no host " + host);
  const Socket socket(found->ai_family);
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return FailedPrecondition("--listen " + address + ": " + std::strerror(errno));
  }
  const uint16_t number = bound.ss_family == AF_INET6
                              ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                              : reinterpret_cast<sockaddr_in*>(&bound)->sin_port;
  return address.substr(0, address.size() - 1) + std::to_string(ntohs(number));
}

}  // namespace phasor::cli
