#include "services/gateway/audit_log.h"

#include <cstdio>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/file.h"
#include "common/base/hash.h"

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

const AuditEntry kRefused{.event = "refused",
                          .who = "",
                          .tenant = "",
                          .from = "ipv4:10.0.0.7:5000",
                          .method = "/phasor.v1.Admin/Pause",
                          .outcome = "wrong"};

TEST(AuditLogTest, ALineIsJsonWithWhatIsKnownWhateverItsWordsHold) {
  EXPECT_EQ(AuditLine(1'700'000'000'123, kRefused),
            R"({"audit":"refused","time":"2023-11-14T22:13:20.123Z","from":"ipv4:10.0.0.7:5000",)"
            R"("method":"/phasor.v1.Admin/Pause","outcome":"wrong"})");
  AuditEntry odd = kRefused;
  odd.who = "token \"\n\xff";
  const std::string line = AuditLine(0, odd);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_THAT(line, HasSubstr(R"(token \"\n)"));
}

TEST(AuditLogTest, AFloodOfRefusalsIsCutAndOperatorsAreStillHeard) {
  FakeClock clock;
  std::vector<std::string> lines;
  AuditLog log([&](const std::string& line) { lines.push_back(line); }, &clock,
               {.per_second = 1, .burst = 3});
  for (int i = 0; i < 10; ++i) log.Write(kRefused);
  EXPECT_EQ(lines.size(), 3u);
  AuditEntry called = kRefused;
  called.event = "called";
  log.Write(called);
  EXPECT_EQ(lines.size(), 4u);
  clock.Advance(Millis(1000));
  log.Write(kRefused);
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_THAT(lines[4], HasSubstr("7 lines left out"));
}

TEST(AuditLogTest, AFileThatIsMovedAwayIsBegunAnew) {
  const FakeClock clock;
  const std::string path = testing::TempDir() + "audit-" + RandomToken();
  const auto log = AuditLog::Open(path, &clock);
  ASSERT_TRUE(log.ok());
  (*log)->Write(kRefused);
  ASSERT_EQ(std::rename(path.c_str(), (path + ".1").c_str()), 0);
  (*log)->Write(kRefused);
  EXPECT_EQ(*ReadFile(path, 10'000), *ReadFile(path + ".1", 10'000));
}

TEST(AuditLogTest, AFileThatCantBeWrittenIsSaidAtTheStart) {
  const FakeClock clock;
  EXPECT_EQ(AuditLog::Open("/nonexistent/audit", &clock).status().code(),
            StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace phasor::gateway
