#include "common/metrics/admin_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <utility>

#include <civetweb.h>

namespace phasor::metrics {

struct AdminServer::State {
  const Registry* registry = nullptr;
  Readiness ready;
  mg_context* context = nullptr;
};

namespace {

constexpr char kThreads[] = "3";
constexpr char kRequestTimeoutMillis[] = "5000";

int Reply(mg_connection* connection, int code, const char* type, const std::string& body) {
  const char* reason = code == 200 ? "OK" : code == 503 ? "Service Unavailable" : "Not Found";
  mg_printf(connection,
            "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
            "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
            code, reason, type, body.size());
  if (std::strcmp(mg_get_request_info(connection)->request_method, "HEAD") != 0) {
    mg_write(connection, body.data(), body.size());
  }
  return code;
}

int Serve(mg_connection* connection, void* data) {
  const auto& state = *static_cast<AdminServer::State*>(data);
  const std::string path = mg_get_request_info(connection)->local_uri;
  if (path == "/metrics") {
    return Reply(connection, 200, "text/plain; version=0.0.4; charset=utf-8",
                 state.registry->Text());
  }
  if (path == "/healthz") return Reply(connection, 200, "text/plain", "ok\n");
  if (path == "/readyz") {
    const Status ready = state.ready();
    if (ready.ok()) return Reply(connection, 200, "text/plain", "ready\n");
    return Reply(connection, 503, "text/plain", Message(ready) + "\n");
  }
  return Reply(connection, 404, "text/plain", "/metrics, /healthz or /readyz\n");
}

// Connects and hangs up.
void Poke(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  close(fd);
}

}  // namespace

AdminServer::AdminServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

AdminServer::~AdminServer() {
  // civetweb notices a stop only when its poll of two seconds ends or somebody connects.
  const int own_port = port();
  auto stopped = std::async(std::launch::async, [this] { mg_stop(state_->context); });
  while (stopped.wait_for(std::chrono::milliseconds(5)) != std::future_status::ready) {
    Poke(own_port);
  }
}

StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const std::string& address,
                                                          const Registry* registry,
                                                          Readiness ready) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || address.find_first_of(",+ ") != std::string::npos ||
      address.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    return InvalidArgument("admin address '" + address + "' is not host:port");
  }
  auto state = std::make_unique<State>();
  state->registry = registry;
  state->ready = std::move(ready);

  const char* options[] = {"listening_ports",
                           address.c_str(),
                           "num_threads",
                           kThreads,
                           "request_timeout_ms",
                           kRequestTimeoutMillis,
                           "enable_directory_listing",
                           "no",
                           nullptr};
  const mg_callbacks callbacks{};
  mg_init_data init{&callbacks, nullptr, options};
  std::array<char, 256> text{};
  mg_error_data error{};  // by name: versions of the library differ in the members before
  error.text = text.data();
  error.text_buffer_size = text.size();
  mg_init_library(0);
  errno = 0;
  state->context = mg_start2(&init, &error);
  if (state->context == nullptr) {
    const std::string reason = errno == EADDRINUSE ? "the address is in use"
                               : text[0] != 0      ? text.data()
                                                   : std::strerror(errno);
    return FailedPrecondition("can't serve metrics on " + address + ": " + reason);
  }
  mg_set_request_handler(state->context, "/", Serve, state.get());
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(state)));
}

int AdminServer::port() const {
  mg_server_port port{};
  return mg_get_server_ports(state_->context, 1, &port) == 1 ? port.port : 0;
}

}  // namespace phasor::metrics
