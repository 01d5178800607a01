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
#include <string_view>

#include "common/base/number.h"
#include "common/tls/client_side.h"
#include "common/tls/context.h"

namespace phasor::metrics {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMaxAnswer = 64 << 20;

struct Target {
  std::string host;
  std::string port;
  std::string path = "/readyz";
  bool tls = false;
};

StatusOr<Target> Parse(std::string text) {
  const Status malformed = InvalidArgument("'" + text + "' is not host:port or host:port/path");
  Target target;
  target.tls = text.starts_with("https://");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme)) text.erase(0, scheme.size());
  }
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

// The socket, and TLS on it. Closes it.
class Talk {
 public:
  explicit Talk(int fd) : fd_(fd) {}
  ~Talk() { close(fd_); }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  Status Secure(const Target& target, const AdminTls& tls) {
    const SystemClock clock;
    ASSIGN_OR_RETURN(const tls::Material material,
                     tls::ReadMaterial(tls.files, clock.WallMillis()));
    ASSIGN_OR_RETURN(context_, tls::MakeClientContext(material));
    const std::string where = target.host + ":" + target.port;
    conversation_ = std::make_unique<tls::Conversation>(
        context_.get(), fd_, where, tls.server_name.empty() ? target.host : tls.server_name);
    if (SSL_connect(conversation_->ssl()) == 1) return OkStatus();
    const Status explained = conversation_->Explain();
    return explained.ok() ? Unavailable(where + " does not answer in TLS") : explained;
  }

  bool Send(const std::string& text) {
    const auto size = static_cast<ssize_t>(text.size());
    if (conversation_ == nullptr) return send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == size;
    return SSL_write(conversation_->ssl(), text.data(), static_cast<int>(size)) == size;
  }

  // Until the other side closes; nullopt: not in time.
  std::optional<std::string> ReadAll(Steady::time_point end) {
    std::string text;
    char buffer[16 << 10];
    while (Steady::now() < end && text.size() < kMaxAnswer) {
      const ssize_t got = Receive(buffer, sizeof(buffer));
      if (got == 0) return text;
      if (got < 0 && errno != EINTR) return std::nullopt;
      if (got > 0) text.append(buffer, static_cast<size_t>(got));
    }
    return std::nullopt;
  }

 private:
  ssize_t Receive(char* buffer, size_t size) {
    if (conversation_ == nullptr) return recv(fd_, buffer, size, 0);
    const int got = SSL_read(conversation_->ssl(), buffer, static_cast<int>(size));
    if (got > 0) return got;
    return SSL_get_error(conversation_->ssl(), got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  }

  const int fd_;
  tls::ContextHandle context_;
  std::unique_ptr<tls::Conversation> conversation_;  // null: plain text
};

}  // namespace

StatusOr<AdminAnswer> AskAdmin(const std::string& target, Millis patience, const AdminTls& tls) {
  ASSIGN_OR_RETURN(const Target parsed, Parse(target));
  ASSIGN_OR_RETURN(const int fd, Connect(parsed, patience));
  Talk talk(fd);
  if (parsed.tls) RETURN_IF_ERROR(talk.Secure(parsed, tls));
  const std::string request =
      "GET " + parsed.path + " HTTP/1.0\r\nHost: " + parsed.host + "\r\n\r\n";
  std::optional<std::string> text;
  if (talk.Send(request)) text = talk.ReadAll(Steady::now() + patience);
  const Status silent = Unavailable(target + " does not answer in HTTP");
  constexpr size_t kCode = 9;  // behind "HTTP/1.1 "
  const size_t body = text ? text->find("\r\n\r\n") : std::string::npos;
  if (body == std::string::npos || !text->starts_with("HTTP/1.")) return silent;
  const StatusOr<int> code = ParseWhole<int>(text->substr(kCode, 3), 100, 599);
  if (!code.ok()) return silent;
  return AdminAnswer{.code = *code, .body = text->substr(body + 4)};
}

}  // namespace phasor::metrics
