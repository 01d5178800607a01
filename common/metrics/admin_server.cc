#include "common/metrics/admin_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <list>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "common/metrics/admin_wire.h"
#include "common/tls/server_context.h"

namespace phasor::metrics {
namespace {

using Steady = std::chrono::steady_clock;

// From the first byte to the last of the answer. Monitors ask within a network's round trip.
constexpr std::chrono::seconds kPatience{5};
constexpr size_t kMaxRequest = 8 << 10;
// More of them push out the one that has taken longest.
constexpr size_t kMaxConnections = 256;
constexpr char kText[] = "text/plain; charset=utf-8";

struct Answer {
  int code = 200;
  const char* reason = "OK";
  const char* type = kText;
  std::string body;
};

std::string Encode(const Answer& answer, bool head_only) {
  return "HTTP/1.1 " + std::to_string(answer.code) + " " + answer.reason +
         "\r\nContent-Type: " + answer.type +
         "\r\nContent-Length: " + std::to_string(answer.body.size()) +
         "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n" +
         (head_only ? std::string() : answer.body);
}

// One request and its answer; then it is closed.
struct Connection {
  std::unique_ptr<AdminWire> wire;
  Steady::time_point end;
  std::string request = {};
  std::string answer = {};  // empty: the request is not whole yet
  size_t sent = 0;
};

// "host:port", the host perhaps in brackets.
StatusOr<addrinfo*> Resolve(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size() ||
      address.find_first_of(",+ ") != std::string::npos ||
      address.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    return InvalidArgument("admin address '" + address + "' is not host:port");
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.empty() ? nullptr : host.c_str(), address.c_str() + colon + 1,
                                 &hints, &found);
  if (failed == 0) return found;
  return FailedPrecondition("can't serve metrics on " + address + ": " + gai_strerror(failed));
}

StatusOr<int> Listen(const std::string& address) {
  ASSIGN_OR_RETURN(addrinfo* const found, Resolve(address));
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool listens =
      fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 128) == 0;
  const int error = errno;
  freeaddrinfo(found);
  if (listens) return fd;
  if (fd >= 0) close(fd);
  return FailedPrecondition("can't serve metrics on " + address + ": " +
                            (error == EADDRINUSE ? "the address is in use" : std::strerror(error)));
}

int PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

// One thread looks after all connections and waits for none of them: whoever sends half a request
// or does not read the answer costs the others nothing.
struct AdminServer::State {
  State(int listener_in, const Registry* registry_in, Readiness ready_in,
        std::shared_ptr<tls::ServerContext> tls_in)
      : registry(registry_in),
        ready(std::move(ready_in)),
        tls(std::move(tls_in)),
        listener(listener_in),
        stop(eventfd(0, EFD_CLOEXEC)),
        thread([this] { Run(); }) {}

  ~State() {
    const uint64_t one = 1;
    (void)!write(stop, &one, sizeof(one));
    thread.join();
    close(listener);
    close(stop);
  }

  void Run() {
    // OpenSSL writes to whoever has hung up.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    for (;;) {
      std::vector<pollfd> polls = {{stop, POLLIN, 0}, {listener, POLLIN, 0}};
      Steady::time_point first = Steady::now() + kPatience;
      for (const Connection& connection : connections) {
        polls.push_back({connection.wire->fd(), connection.wire->wanted(), 0});
        first = std::min(first, connection.end);
      }
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(first - Steady::now());
      poll(polls.data(), polls.size(), static_cast<int>(std::max<int64_t>(0, left.count())));
      if (polls[0].revents != 0) return;
      size_t i = 2;
      for (auto connection = connections.begin(); connection != connections.end(); ++i) {
        const bool over = Steady::now() >= connection->end;
        if (over || (polls[i].revents != 0 && !Advance(&*connection))) {
          connection = connections.erase(connection);
        } else {
          ++connection;
        }
      }
      if (polls[1].revents != 0) Accept();
    }
  }

  void Accept() {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      if (connections.size() >= kMaxConnections) connections.pop_front();
      connections.push_back(
          {.wire = std::make_unique<AdminWire>(fd, tls == nullptr ? nullptr : tls->Current()),
           .end = Steady::now() + kPatience});
    }
  }

  // False: it is to be closed.
  bool Advance(Connection* connection) const {
    if (connection->sent < connection->answer.size()) return Send(connection);
    char buffer[4096];
    while (true) {
      const ssize_t got = connection->wire->Receive(buffer, sizeof(buffer));
      if (got <= 0) return got < 0;
      if (!connection->answer.empty()) continue;  // sent: what still comes is not looked at
      connection->request.append(buffer, static_cast<size_t>(got));
      if (connection->request.size() > kMaxRequest) return false;
      if (!IsWhole(connection->request)) continue;
      const bool head = connection->request.rfind("HEAD ", 0) == 0;
      connection->answer = Encode(AnswerTo(connection->request), head);
      return Send(connection);
    }
  }

  static bool IsWhole(const std::string& request) {
    return request.find("\r\n\r\n") != std::string::npos ||
           request.find("\n\n") != std::string::npos;
  }

  static bool Send(Connection* connection) {
    const std::string_view answer = connection->answer;
    while (connection->sent < answer.size()) {
      const ssize_t sent = connection->wire->Send(answer.substr(connection->sent));
      if (sent <= 0) return sent < 0;
      connection->sent += static_cast<size_t>(sent);
    }
    // The other side closes when it has read all; an early close could take the answer with it.
    connection->wire->EndSending();
    return true;
  }

  Answer AnswerTo(const std::string& request) const {
    const size_t space = request.find(' ');
    const std::string method = request.substr(0, space);
    if (space == std::string::npos || (method != "GET" && method != "HEAD")) {
      return {405, "Method Not Allowed", kText, "GET or HEAD\n"};
    }
    const size_t end = request.find_first_of(" ?\r\n", space + 1);
    const std::string path = request.substr(space + 1, end - space - 1);
    if (path == "/metrics") {
      return {200, "OK", "text/plain; version=0.0.4; charset=utf-8", registry->Text()};
    }
    if (path == "/healthz") return {200, "OK", kText, "ok\n"};
    if (path == "/readyz") {
      const Status status = ready();
      if (status.ok()) return {200, "OK", kText, "ready\n"};
      return {503, "Service Unavailable", kText, Message(status) + "\n"};
    }
    return {404, "Not Found", kText, "/metrics, /healthz or /readyz\n"};
  }

  const Registry* const registry;
  const Readiness ready;
  const std::shared_ptr<tls::ServerContext> tls;  // null: plain text
  const int listener;
  const int stop;
  std::list<Connection> connections;  // the thread's, in the order in which they came
  std::thread thread;                 // last: it uses the others
};

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

AdminServer::~AdminServer() = default;

StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const AdminAddress& at,
                                                          const Registry* registry, Readiness ready,
                                                          const Clock* clock) {
  std::shared_ptr<tls::ServerContext> tls;
  if (!at.tls.empty()) {
    const auto opened = tls::ServerContext::Open(at.tls, clock, at.on_trouble);
    if (!opened.ok()) return Annotate(opened.status(), "the operations port");
    tls = *opened;
  }
  ASSIGN_OR_RETURN(const int listener, Listen(at.address));
  return std::unique_ptr<AdminServer>(new AdminServer(
      std::make_unique<State>(listener, registry, std::move(ready), std::move(tls))));
}

int AdminServer::port() const { return PortOf(state_->listener); }

}  // namespace phasor::metrics
