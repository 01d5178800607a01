// The operations port with TLS, asked by its client.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/metrics/admin_client.h"
#include "common/metrics/admin_server.h"
#include "common/tls/testing_folder.h"

namespace phasor::metrics {
namespace {

using testing::HasSubstr;

constexpr Millis kPatience{5'000};

class AdminTlsTest : public testing::Test {
 protected:
  void Start(const tls::Files& files) {
    auto started = AdminServer::Start(
        {.address = "127.0.0.1:0",
         .tls = files,
         .on_trouble =
             [this](const Status& why) {
               MutexLock lock(&mu_);
               troubles_.push_back(Message(why));
             }},
        &registry_, [] { return OkStatus(); }, &clock_);
    ASSERT_TRUE(started.ok()) << started.status();
    server_ = std::move(*started);
  }
  // Certificate and key alone: no client is asked for anything.
  tls::Files Own(const std::string& name) const {
    return {.certificate = folder_.Path(name + ".pem"), .key = folder_.Path(name + ".key")};
  }
  std::string At(const std::string& scheme, const std::string& path = "/healthz") const {
    return scheme + "://127.0.0.1:" + std::to_string(server_->port()) + path;
  }
  StatusOr<AdminAnswer> Ask(const tls::Files& files = {}, const std::string& name = "") const {
    tls::Files trusting = files;
    trusting.authorities = folder_.Path("ca.pem");
    return AskAdmin(At("https"), kPatience, {.files = trusting, .server_name = name});
  }
  std::vector<std::string> troubles() {
    MutexLock lock(&mu_);
    return troubles_;
  }

  const tls::TestingFolder folder_;
  FakeClock clock_{folder_.now()};
  Registry registry_;
  Mutex mu_;
  std::vector<std::string> troubles_ GUARDED_BY(mu_);
  std::unique_ptr<AdminServer> server_;
};

TEST_F(AdminTlsTest, AnswersInTlsAndInNothingElse) {
  folder_.Issue("own");
  Start(Own("own"));
  const auto answer = Ask();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, 200);
  EXPECT_EQ(answer->body, "ok\n");
  EXPECT_EQ(AskAdmin(At("http"), kPatience).status().code(), StatusCode::kUnavailable);
}

TEST_F(AdminTlsTest, AnAnswerOfAnyLengthComesWhole) {
  folder_.Issue("own");
  Start(Own("own"));
  auto jobs = registry_.Gauges("jobs", "Jobs.", {"model"}, 50'000);
  for (int i = 0; i < 40'000; ++i) jobs.With({"model-" + std::to_string(i)}).Set(1);
  const auto answer = AskAdmin(At("https", "/metrics"), kPatience,
                               {.files = {.authorities = folder_.Path("ca.pem")}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_GT(answer->body.size(), 1u << 20);
  EXPECT_THAT(answer->body, HasSubstr("model-39999"));
}

TEST_F(AdminTlsTest, TheClientSaysWhatIsWrongWithTheCertificate) {
  folder_.Issue("own", {"other.example"}, folder_.Around());
  Start(Own("own"));
  EXPECT_THAT(Message(Ask().status()), HasSubstr("is for other.example, not for 127.0.0.1"));
  EXPECT_TRUE(Ask({}, "other.example").ok());
  const auto stranger = AskAdmin(At("https"), kPatience, {.server_name = "other.example"});
  EXPECT_EQ(stranger.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(stranger.status()), HasSubstr("The test's authority"));
}

TEST_F(AdminTlsTest, WithAuthoritiesOnlyThoseWithACertificateGetIn) {
  Start(folder_.Issue("own"));
  EXPECT_FALSE(Ask().ok());
  const tls::Issued another = tls::MakeAuthority("Another", folder_.Around()).value();
  EXPECT_FALSE(Ask(folder_.IssueBy(another, "foreign", {"monitor"}, folder_.Around())).ok());
  const auto answer = Ask(folder_.Issue("monitor"));
  EXPECT_TRUE(answer.ok()) << answer.status();
}

TEST_F(AdminTlsTest, ACertificateIsReplacedWhileItServesAndAWrongOneIsTold) {
  folder_.Issue("own", {"first.example"}, folder_.Around());
  Start(Own("own"));
  EXPECT_TRUE(Ask({}, "first.example").ok());
  folder_.Issue("own", {"second.example"}, folder_.Around());
  clock_.Advance(Millis(1'000));
  EXPECT_TRUE(Ask({}, "second.example").ok());
  folder_.Write("own.pem", "nonsense");
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(Millis(1'000));
    EXPECT_TRUE(Ask({}, "second.example").ok());
  }
  ASSERT_EQ(troubles().size(), 1u);
  EXPECT_THAT(troubles()[0], HasSubstr("own.pem holds no certificate"));
}

TEST_F(AdminTlsTest, HalfAHandshakeKeepsNobodyWaiting) {
  folder_.Issue("own");
  Start(Own("own"));
  std::vector<int> halves;
  for (const std::string& begin : {std::string(), std::string("\x16\x03\x01", 3),
                                   std::string("GET /healthz HTTP/1.0\r\n\r\n")}) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(server_->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    halves.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(halves.back(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(write(halves.back(), begin.data(), begin.size()), static_cast<ssize_t>(begin.size()));
  }
  EXPECT_TRUE(Ask().ok());
  for (const int fd : halves) close(fd);
}

TEST_F(AdminTlsTest, WhatIsWrongAtTheStartIsSaid) {
  const auto start = [this](const tls::Files& files) {
    return Message(AdminServer::Start(
                       {.address = "127.0.0.1:0", .tls = files}, &registry_,
                       [] { return OkStatus(); }, &clock_)
                       .status());
  };
  folder_.Issue("own");
  EXPECT_THAT(start({.authorities = folder_.Path("ca.pem")}), HasSubstr("need a certificate"));
  EXPECT_THAT(start({.certificate = folder_.Path("own.pem")}), HasSubstr("operations port"));
  EXPECT_THAT(start(Own("missing")), HasSubstr("missing.pem"));
}

}  // namespace
}  // namespace phasor::metrics
