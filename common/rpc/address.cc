#include "common/rpc/address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace phasor::rpc {
namespace {

constexpr std::string_view kUnix = "unix:";

bool IsUnix(const std::string& address) { return address.rfind(kUnix, 0) == 0; }

class Socket {
 public:
  Socket(int family) : fd_(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Status CantListen(const std::string& address, const std::string& reason) {
  return FailedPrecondition("can't listen on " + address + ": " + reason);
}

std::string Reason(int error) {
  return error == EADDRINUSE ? "the address is in use by another process" : std::strerror(error);
}

Status CheckUnixBindable(const std::string& address) {
  const std::string path = address.substr(kUnix.size());
  const size_t slash = path.rfind('/');
  const std::string directory = slash == 0 ? "/" : path.substr(0, slash);
  if (slash != std::string::npos && access(directory.c_str(), W_OK | X_OK) != 0) {
    return CantListen(address, directory + ": " + std::strerror(errno));
  }
  struct stat info;
  if (lstat(path.c_str(), &info) != 0) return OkStatus();
  if (!S_ISSOCK(info.st_mode)) return CantListen(address, "a file of another kind is there");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  Socket probe(AF_UNIX);
  if (connect(probe.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0) {
    return CantListen(address, Reason(EADDRINUSE));
  }
  return OkStatus();
}

Status CheckTcpBindable(const std::string& address) {
  const size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found);
  if (error != 0) return CantListen(address, gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    Socket probe(each->ai_family);
    const int on = 1;
    setsockopt(probe.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(probe.fd(), each->ai_addr, each->ai_addrlen) != 0) {
      return CantListen(address, Reason(errno));
    }
  }
  return OkStatus();
}

}  // namespace

Status CheckAddress(const std::string& address) {
  if (IsUnix(address)) {
    const size_t length = address.size() - kUnix.size();
    constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;
    if (length > 0 && length <= kMaxPath) return OkStatus();
    return InvalidArgument("address '" + address + "': the path must have 1 to " +
                           std::to_string(kMaxPath) + " bytes");
  }
  const Status malformed =
      InvalidArgument("address '" + address + "' is neither host:port nor unix:/path");
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return malformed;
  const std::string port = address.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535) {
    return malformed;
  }
  const std::string host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (!bracketed && host.find_first_of(":[]/ ,") != std::string::npos) return malformed;
  return OkStatus();
}

Status CheckBindable(const std::string& address) {
  RETURN_IF_ERROR(CheckAddress(address));
  return IsUnix(address) ? CheckUnixBindable(address) : CheckTcpBindable(address);
}

}  // namespace phasor::rpc
