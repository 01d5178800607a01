#include "common/metrics/admin_client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/metrics/admin_server.h"

namespace phasor::metrics {
namespace {

using testing::HasSubstr;

constexpr Millis kPatience{5'000};

class AdminClientTest : public testing::Test {
 protected:
  std::string At(const std::string& path = "") const {
    return "127.0.0.1:" + std::to_string(server_->port()) + path;
  }

  Registry registry_;
  std::atomic<bool> ready_ = true;
  const SystemClock clock_;
  std::unique_ptr<AdminServer> server_ = *AdminServer::Start(
      {.address = "127.0.0.1:0"}, &registry_,
      [this] { return ready_ ? OkStatus() : Unavailable("Redis does not answer"); }, &clock_);
};

TEST_F(AdminClientTest, AsksWhetherTheProcessIsReady) {
  auto answer = AskAdmin(At(), kPatience);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, 200);
  EXPECT_EQ(answer->body, "ready\n");
  ready_ = false;
  answer = AskAdmin("http://" + At("/readyz"), kPatience);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->code, 503);
  EXPECT_EQ(answer->body, "Redis does not answer\n");
}

TEST_F(AdminClientTest, ReadsAnswersOfAnyLength) {
  auto jobs = registry_.Gauges("jobs", "Jobs.", {"model"}, 5000);
  for (int i = 0; i < 4000; ++i) jobs.With({"model-" + std::to_string(i)}).Set(1);
  const auto answer = AskAdmin(At("/metrics"), kPatience);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_THAT(answer->body, HasSubstr("phasor_jobs{model=\"model-3999\"} 1"));
}

TEST_F(AdminClientTest, SaysThatNobodyListens) {
  const std::string gone = At();
  server_.reset();
  EXPECT_EQ(AskAdmin(gone, kPatience).status().code(), StatusCode::kUnavailable);
}

TEST_F(AdminClientTest, DoesNotWaitForOneWhoNeverAnswers) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), 0);
  const std::string target = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(AskAdmin(target, Millis(50)).status().code(), StatusCode::kUnavailable);
  close(listener);
}

TEST_F(AdminClientTest, RefusesWhatIsNoAddress) {
  for (const char* target :
       {"", "localhost", ":9464", "localhost:x", "localhost:9464/a b", "ftp://localhost:9464"}) {
    EXPECT_EQ(AskAdmin(target, kPatience).status().code(), StatusCode::kInvalidArgument) << target;
  }
}

}  // namespace
}  // namespace phasor::metrics
