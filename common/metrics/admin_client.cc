#include "common/metrics/admin_client.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "common/base/number.h"

namespace phasor::metrics {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMaxAnswer = 64 << 20;

struct Target {
  std::string host;
  std::string port;
  std::string path = "/readyz";
};

StatusOr<Target> Parse(std::string text) {
  const Status malformed = InvalidArgument("'" + text + "' is not host:port or host:port/path");
  constexpr char kScheme[] = "http://";
  if (text.starts_with(kScheme)) text.erase(0, std::strlen(kScheme));
  Target target;
  if (const size_t slash = text.find('/'); slash != std::string::npos) {
    target.path = text.substr(slash);
    text.resize(slash);
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || !ParseWhole<int>(text.substr(colon + 1), 1, 65'535).ok() ||
      target.path.find_first_of(" \r\n") != std::string::npos) {
    return malformed;
  }
  target.host = text.substr(0, colon);
  target.port = text.substr(colon + 1);
  if (target.host.size() > 2 && target.host.front() == '[' && target.host.back() == ']') {
    target.host = target.host.substr(1, target.host.size() - 2);
  }
  if (target.host.empty()) return malformed;
  return target;
}

// A connected socket; each step on it takes `patience` at most.
StatusOr<int> Connect(const Target& target, Millis patience) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &found);
  if (failed != 0) return Unavailable(target.host + ": " + gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const timeval wait{.tv_sec = patience.count() / 1000, .tv_usec = patience.count() % 1000 * 1000};
  std::string why;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int fd = socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) continue;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, one->ai_addr, one->ai_addrlen) == 0) return fd;
    why = errno == EINPROGRESS ? "no answer in time" : std::strerror(errno);
    close(fd);
  }
  return Unavailable(target.host + ":" + target.port + ": " + why);
}

// Until the other side closes; nullopt: not in time.
std::optional<std::string> ReadAll(int fd, Steady::time_point end) {
  std::string text;
  char buffer[16 << 10];
  while (Steady::now() < end && text.size() < kMaxAnswer) {
    const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) return std::nullopt;
    if (got > 0) text.append(buffer, static_cast<size_t>(got));
  }
  return std::nullopt;
}

}  // namespace

StatusOr<AdminAnswer> AskAdmin(const std::string& target, Millis patience) {
  ASSIGN_OR_RETURN(const Target parsed, Parse(target));
  ASSIGN_OR_RETURN(const int fd, Connect(parsed, patience));
  const std::string request =
      "GET " + parsed.path + " HTTP/1.0\r\nHost: " + parsed.host + "\r\n\r\n";
  std::optional<std::string> text;
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) ==
      static_cast<ssize_t>(request.size())) {
    text = ReadAll(fd, Steady::now() + patience);
  }
  close(fd);
  const Status silent = Unavailable(target + " does not answer in HTTP");
  constexpr size_t kCode = 9;  // behind "HTTP/1.1 "
  const size_t body = text ? text->find("\r\n\r\n") : std::string::npos;
  if (body == std::string::npos || !text->starts_with("HTTP/1.")) return silent;
  const StatusOr<int> code = ParseWhole<int>(text->substr(kCode, 3), 100, 599);
  if (!code.ok()) return silent;
  return AdminAnswer{.code = *code, .body = text->substr(body + 4)};
}

}  // namespace phasor::metrics
