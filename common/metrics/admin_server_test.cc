#include "common/metrics/admin_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::metrics {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A connection that has sent `request`.
int Connect(int port, const std::string& request) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  return fd;
}

std::string ReadAll(int fd) {
  std::string reply;
  char buffer[4096];
  for (ssize_t n; (n = read(fd, buffer, sizeof(buffer))) > 0;) reply.append(buffer, n);
  close(fd);
  return reply;
}

std::string Fetch(int port, const std::string& path) {
  return ReadAll(Connect(port, "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n"));
}

class AdminServerTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto ready = [this] {
      return ready_ ? OkStatus() : Unavailable("Redis does not answer");
    };
    auto started = AdminServer::Start({.address = "127.0.0.1:0"}, &registry_, ready, &clock_);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
  }

  static Status Ready() { return OkStatus(); }

  const SystemClock clock_;
  Registry registry_;
  std::atomic<bool> ready_ = true;
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminServerTest, ServesTheMetrics) {
  registry_.Counters("jobs_total", "Jobs.")->Increment();
  const std::string reply = Fetch(server_->port(), "/metrics");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("phasor_jobs_total 1"));
}

TEST_F(AdminServerTest, SaysWhyItIsNotReady) {
  EXPECT_THAT(Fetch(server_->port(), "/readyz"), StartsWith("HTTP/1.1 200"));
  ready_ = false;
  const std::string reply = Fetch(server_->port(), "/readyz");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(reply, HasSubstr("Redis does not answer"));
  EXPECT_THAT(Fetch(server_->port(), "/healthz"), StartsWith("HTTP/1.1 200"));
}

TEST_F(AdminServerTest, AnswersNotFoundElsewhere) {
  EXPECT_THAT(Fetch(server_->port(), "/etc/passwd"), StartsWith("HTTP/1.1 404"));
}

TEST_F(AdminServerTest, HalfSentRequestsKeepNobodyWaiting) {
  std::vector<int> halves;
  for (int i = 0; i < 300; ++i) {  // more than it keeps
    halves.push_back(Connect(server_->port(), i % 3 == 0 ? "" : "GET /healthz HTTP/1.1\r\nHost"));
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(Fetch(server_->port(), "/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  // One of them goes on after all.
  const std::string rest = ": localhost\r\n\r\n";
  ASSERT_EQ(write(halves.back(), rest.data(), rest.size()), static_cast<ssize_t>(rest.size()));
  EXPECT_THAT(ReadAll(halves.back()), testing::EndsWith("\r\n\r\nok\n"));
  halves.pop_back();
  for (const int fd : halves) close(fd);
}

TEST_F(AdminServerTest, ReadersThatDoNotReadKeepNobodyWaiting) {
  auto counters = registry_.Counters("many_total", "Many.", {"name"});
  for (int i = 0; i < 400; ++i) counters.With({std::string(2000, 'n') + std::to_string(i)});
  std::vector<int> lazy;
  for (int i = 0; i < 20; ++i)
    lazy.push_back(Connect(server_->port(), "GET /metrics HTTP/1.1\n\n"));
  EXPECT_THAT(Fetch(server_->port(), "/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(ReadAll(lazy.back()), HasSubstr("n399"));
  lazy.pop_back();
  for (const int fd : lazy) close(fd);
}

TEST_F(AdminServerTest, WhatIsNoRequestOfAMonitorIsToldOrHungUpOn) {
  const int port = server_->port();
  EXPECT_THAT(ReadAll(Connect(port, "HEAD /healthz HTTP/1.1\r\n\r\n")),
              testing::AllOf(StartsWith("HTTP/1.1 200"), testing::EndsWith("\r\n\r\n")));
  EXPECT_THAT(ReadAll(Connect(port, "GET /healthz?x=1 HTTP/1.1\r\n\r\n")),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ReadAll(Connect(port, "POST /metrics HTTP/1.1\r\n\r\n")), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ReadAll(Connect(port, "GET\r\n\r\n")), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(ReadAll(Connect(port, "GET \r\n\r\n")), StartsWith("HTTP/1.1 404"));
  const int endless = Connect(port, std::string(9'000, 'x'));
  ReadAll(endless);  // returns: it was hung up on
}

TEST_F(AdminServerTest, ATakenPortIsAnErrorThatNamesTheAddress) {
  const std::string address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = AdminServer::Start({.address = address}, &registry_, Ready, &clock_);
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(second.status()), HasSubstr(address));
  EXPECT_THAT(Message(second.status()), HasSubstr("in use"));
}

TEST_F(AdminServerTest, AMalformedAddressIsRefused) {
  for (const char* address : {"", "9464", "localhost:http", "127.0.0.1:0,127.0.0.1:0"}) {
    const auto server = AdminServer::Start({.address = address}, &registry_, Ready, &clock_);
    EXPECT_EQ(server.status().code(), StatusCode::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace phasor::metrics
