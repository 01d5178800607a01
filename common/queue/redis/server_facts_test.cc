#include "common/queue/redis/server_facts.h"

#include <gtest/gtest.h>

namespace phasor::queue {
namespace {

std::string Info(const std::string& version, const std::string& maxmemory,
                 const std::string& policy, const std::string& aof,
                 const std::string& role = "master", const std::string& loading = "0") {
  return "# Server\r\nredis_version:" + version + "\r\nos:Linux\r\nmaxmemory:" + maxmemory +
         "\r\nmaxmemory_human:x\r\nmaxmemory_policy:" + policy + "\r\nloading:" + loading +
         "\r\nasync_loading:0\r\naof_enabled:" + aof + "\r\nrole:" + role + "\r\n";
}

TEST(ServerFactsTest, SaysWhetherAQueueCanStandThereAndWhetherJobsMayBeLost) {
  struct Case {
    std::string info;
    StatusCode code;
    std::string loss;  // words of the sentence; empty: none is said
  };
  const std::vector<Case> cases = {
      {Info("7.0.15", "0", "noeviction", "1"), StatusCode::kOk, ""},
      {Info("7.4.0", "1000000", "noeviction", "1"), StatusCode::kOk, ""},
      {Info("10.0.0", "0", "allkeys-lru", "1"), StatusCode::kOk, ""},
      {Info("7.0.15", "1000000", "allkeys-lru", "1"), StatusCode::kOk, "allkeys-lru"},
      {Info("7.0.15", "1000000", "volatile-ttl", "1"), StatusCode::kOk, "volatile-ttl"},
      {Info("7.0.15", "1000000", "allkeys-random", "0"), StatusCode::kOk, "allkeys-random"},
      {Info("7.0.15", "0", "noeviction", "0"), StatusCode::kOk, "append-only"},
      {Info("6.2.14", "0", "noeviction", "1"), StatusCode::kFailedPrecondition, ""},
      {Info("", "0", "noeviction", "1"), StatusCode::kFailedPrecondition, ""},
      {"", StatusCode::kFailedPrecondition, ""},
      {Info("7.0.15", "0", "noeviction", "1", "slave"), StatusCode::kUnavailable, ""},
      {Info("7.0.15", "0", "noeviction", "1", "master", "1"), StatusCode::kUnavailable, ""},
  };
  for (const Case& c : cases) {
    const StatusOr<Footing> footing = JudgeServer(c.info);
    EXPECT_EQ(footing.status().code(), c.code) << c.info;
    if (!footing.ok()) continue;
    EXPECT_EQ(footing->job_loss.empty(), c.loss.empty()) << c.info;
    EXPECT_NE(footing->job_loss.find(c.loss), std::string::npos) << footing->job_loss;
  }
}

TEST(ServerFactsTest, AFieldIsFoundByItsWholeName) {
  const std::string info = "maxmemory_human:1M\r\nmaxmemory:7\r\n";
  EXPECT_EQ(InfoField(info, "maxmemory_human"), "1M");
  EXPECT_EQ(InfoField(info, "maxmemory"), "7");
  EXPECT_EQ(InfoField(info, "memory"), "");
}

}  // namespace
}  // namespace phasor::queue
