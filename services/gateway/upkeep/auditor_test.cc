#include "services/gateway/upkeep/auditor.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

using testing::HasSubstr;

// A queue with so many pages due; only Audit does anything.
class Pages final : public queue::Maintenance {
 public:
  StatusOr<queue::AuditReport> Audit(const std::string& cursor, int /*limit*/) override {
    EXPECT_EQ(cursor, queue::kAuditDue);
    ++asked;
    if (!failure.ok()) return failure;
    queue::AuditReport report;
    if (due == 0) return report;
    --due;
    report.looked = 10;
    report.next_cursor = "more";
    if (due == damaged) {
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
  StatusOr<int> Forget(int) override { return 0; }

  int due = 0;
  int damaged = -1;
  int asked = 0;
  Status failure;
};

class AuditorTest : public testing::Test {
 protected:
  int Tick() {
    pages_.asked = 0;
    status_ = auditor_.Tick();
    return pages_.asked;
  }

  metrics::Registry metrics_;
  Pages pages_;
  Status status_;
  Auditor auditor_{&pages_, &metrics_};
};

TEST_F(AuditorTest, LooksAtWhatIsDueAndNoFurther) {
  EXPECT_EQ(Tick(), 1);
  pages_.due = 3;
  EXPECT_EQ(Tick(), 4);
  EXPECT_EQ(Tick(), 1);
  EXPECT_TRUE(status_.ok());
}

TEST_F(AuditorTest, ATickEndsHoweverMuchIsDue) {
  pages_.due = 100'000;
  const int first = Tick();
  EXPECT_LT(first, 1'000);
  EXPECT_EQ(Tick(), first) << "and goes on in the next one";
}

TEST_F(AuditorTest, AFailureEndsTheTickAndTheNextGoesOn) {
  pages_.due = 2;
  pages_.failure = Unavailable("restarting");
  EXPECT_EQ(Tick(), 1);
  EXPECT_EQ(status_.code(), StatusCode::kUnavailable);
  pages_.failure = OkStatus();
  EXPECT_EQ(Tick(), 3);
}

TEST_F(AuditorTest, CountsWhatWasRepaired) {
  pages_.due = 2;
  pages_.damaged = 0;
  Tick();
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_repaired_total 2"));
  EXPECT_THAT(metrics_.Text(), HasSubstr("phasor_audited_total 20"));
}

}  // namespace
}  // namespace phasor::gateway
