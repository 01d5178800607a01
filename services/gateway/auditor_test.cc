#include "services/gateway/auditor.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A queue whose rounds have as many pages as told; only Audit does anything.
class Pages final : public queue::Maintenance {
 public:
  explicit Pages(FakeClock* clock) : clock_(clock) {}

  StatusOr<queue::AuditReport> Audit(const std::string& cursor, int /*limit*/) override {
    asked.push_back(cursor);
    clock_->Advance(takes);
    if (!failure.ok()) return failure;
    queue::AuditReport report{.next_cursor = "", .looked = 10, .repaired = 0, .repairs = {}};
    const int page = cursor.empty() || cursor == queue::kAuditEverything ? 1 : std::stoi(cursor);
    if (page < pages) report.next_cursor = std::to_string(page + 1);
    if (page == damaged) {
      report.repaired = 2;
      report.repairs = {"job a put back"};
    }
    return report;
  }
  StatusOr<int> Recover(int) override { return 0; }
  StatusOr<std::vector<queue::SealRequest>> PendingSeals(int) override {
    return std::vector<queue::SealRequest>();
  }
  Status Adopt(const job::JobId&, queue::State, const std::string&) override { return OkStatus(); }
  StatusOr<queue::QueueStats> Stats() override { return queue::QueueStats(); }
  StatusOr<std::vector<queue::Preemption>> Preempt(int) override {
    return std::vector<queue::Preemption>();
  }

  int pages = 2;
  int damaged = 0;
  Millis takes{0};
  Status failure;
  std::vector<std::string> asked;

 private:
  FakeClock* const clock_;
};

class AuditorTest : public testing::Test {
 protected:
  std::vector<std::string> Tick() {
    pages_.asked.clear();
    status_ = auditor_.Tick();
    return pages_.asked;
  }

  FakeClock clock_;
  metrics::Registry metrics_;
  Pages pages_{&clock_};
  Status status_;
  Auditor auditor_{&pages_, &clock_, &metrics_};
};

TEST_F(AuditorTest, BeginsWithEverythingThenGoesRoundEveryFiveSeconds) {
  EXPECT_THAT(Tick(), ElementsAre("everything", "2"));
  EXPECT_THAT(Tick(), IsEmpty());
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_THAT(Tick(), ElementsAre("", "2"));
}

TEST_F(AuditorTest, LooksAtEverythingAgainAfterAnHour) {
  Tick();
  clock_.Advance(std::chrono::minutes(59));
  EXPECT_THAT(Tick(), ElementsAre("", "2"));
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_THAT(Tick(), ElementsAre("everything", "2"));
  clock_.Advance(std::chrono::minutes(1));
  EXPECT_THAT(Tick(), ElementsAre("", "2"));
}

TEST_F(AuditorTest, ALongRoundGoesOnInTheNextTick) {
  pages_.pages = 100;
  pages_.takes = Millis(1);
  EXPECT_EQ(Tick().size(), 60u);
  EXPECT_EQ(Tick().size(), 40u);
  EXPECT_THAT(Tick(), IsEmpty());
}

TEST_F(AuditorTest, ASlowQueueIsAskedForFewPagesATick) {
  pages_.pages = 12;
  pages_.takes = Millis(100);
  EXPECT_EQ(Tick().size(), 8u);
  EXPECT_EQ(Tick().size(), 4u);
}

TEST_F(AuditorTest, ARoundThatFailsBeginsAnewAndIsNotForgotten) {
  pages_.failure = Unavailable("restarting");
  Tick();
  EXPECT_EQ(status_.code(), StatusCode::kUnavailable);
  pages_.failure = OkStatus();
  EXPECT_THAT(Tick(), ElementsAre("everything", "2"));
}

TEST_F(AuditorTest, CountsWhatWasRepaired) {
  pages_.damaged = 2;
  Tick();
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_repaired_total 2"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_audited_total 20"));
}

}  // namespace
}  // namespace phasor::gateway
