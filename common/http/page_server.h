// An HTTP server of one page on a free port of the loopback interface, for tests. It answers each
// connection once. Thread-safe.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "common/base/mutex.h"

namespace phasor::http {

class PageServer {
 public:
  PageServer() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    setenv("no_proxy", "127.0.0.1", 1);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    socklen_t length = sizeof(address);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/keys";
    thread_ = std::thread([this] { Run(); });
  }
  ~PageServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  const std::string& url() const { return url_; }

  // "200 OK" and the page from now on; an empty status hangs up without an answer.
  void Serve(const std::string& status, const std::string& page) {
    MutexLock lock(&mu_);
    status_ = status;
    page_ = page;
  }
  int asked() {
    MutexLock lock(&mu_);
    return asked_;
  }
  // Headers and body of the last one, as they came.
  std::string last_request() {
    MutexLock lock(&mu_);
    return last_request_;
  }

 private:
  void Run() {
    for (int fd; (fd = accept(listener_, nullptr, nullptr)) >= 0; close(fd)) {
      const std::string answer = Answer(Receive(fd));
      for (size_t sent = 0; sent < answer.size();) {
        const ssize_t more = send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (more <= 0) break;  // the other side has had enough
        sent += static_cast<size_t>(more);
      }
    }
  }

  static bool IsWhole(const std::string& request) {
    const size_t head = request.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    constexpr char kLength[] = "Content-Length: ";
    const size_t length = request.find(kLength);
    const size_t body =
        length > head ? 0 : std::strtoull(request.c_str() + length + strlen(kLength), nullptr, 10);
    return request.size() >= head + 4 + body;
  }

  static std::string Receive(int fd) {
    std::string request;
    char buffer[4096];
    while (!IsWhole(request)) {
      const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
      if (got <= 0) break;
      request.append(buffer, static_cast<size_t>(got));
    }
    return request;
  }

  std::string Answer(std::string request) {
    MutexLock lock(&mu_);
    ++asked_;
    last_request_ = std::move(request);
    if (status_.empty()) return "";
    return "HTTP/1.1 " + status_ +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(page_.size()) +
           "\r\nConnection: close\r\n\r\n" + page_;
  }

  const int listener_;
  std::string url_;
  Mutex mu_;
  std::string status_ GUARDED_BY(mu_) = "404 Not Found";
  std::string page_ GUARDED_BY(mu_);
  int asked_ GUARDED_BY(mu_) = 0;
  std::string last_request_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace phasor::http
