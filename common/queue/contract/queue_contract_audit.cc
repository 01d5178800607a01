// The contract's part about the audit of a queue in order. What it repairs is tested where indexes
// can be damaged: tests/integration/redis_queue_audit_test.cc.

#include <atomic>
#include <thread>

#include "common/queue/contract/queue_contract.h"

namespace phasor::queue {
namespace {

// A whole round in steps of `limit`; what it found.
AuditReport Round(Maintenance& maintenance, std::string cursor, int limit) {
  AuditReport total;
  do {
    const AuditReport part = maintenance.Audit(cursor, limit).value();
    total.looked += part.looked;
    total.repaired += part.repaired;
    total.repairs.insert(total.repairs.end(), part.repairs.begin(), part.repairs.end());
    cursor = part.next_cursor;
  } while (!cursor.empty());
  return total;
}

}  // namespace

TEST_P(QueueContract, AnAuditOfAnEmptyQueueEndsAtOnce) {
  for (const std::string cursor : {"", kAuditEverything}) {
    const AuditReport report = Round(maintenance(), cursor, 10);
    EXPECT_EQ(report.repaired, 0);
  }
}

TEST_P(QueueContract, AnAuditLooksAtEveryJobAndRepairsNothingInAQueueInOrder) {
  for (int n = 1; n <= 40; ++n) {
    SubmitRequest request = TestRequest(n);
    request.tenant = "tenant-" + std::to_string(n % 3);
    request.priority = static_cast<Priority>(n % 4);
    if (n % 5 == 0) request.deadline_ms = 4'000'000'000'000;
    MustSubmit(request);
  }
  ASSERT_TRUE(control().SetTenantLimits("tenant-1", {.max_running = 1}).ok());
  for (int i = 0; i < 8; ++i) {
    const Grant grant = MustTake();
    Failure failure;
    failure.fence = grant.fence;
    failure.retryable = i % 3 == 0;
    failure.delay = Millis(60'000);
    if (i % 2 == 0) {
      ASSERT_TRUE(consumer().Fail(failure).ok());
    }
  }
  for (const std::string cursor : {"", kAuditEverything}) {
    for (const int limit : {1, 7, 1000}) {
      const AuditReport report = Round(maintenance(), cursor, limit);
      EXPECT_EQ(report.repairs, std::vector<std::string>());
      EXPECT_EQ(report.repaired, 0);
      EXPECT_GE(report.looked, 40);
    }
  }
}

TEST_P(QueueContract, AnAuditRepairsNothingWhileEverythingMoves) {
  std::atomic<bool> stop = false;
  std::thread worker([&] {
    for (int n = 0; !stop; ++n) {
      SubmitRequest request = TestRequest(n);
      request.tenant = "tenant-" + std::to_string(n % 3);
      ASSERT_TRUE(producer().Submit(request).ok());
      if (n % 3 == 0) continue;  // the queue grows
      const std::optional<Grant> grant = Take("m" + std::to_string(n));
      if (!grant) continue;
      if (n % 2 == 0) {
        ASSERT_TRUE(consumer().Release(grant->fence, "", 0).ok());
      } else {
        ASSERT_TRUE(consumer().Complete(grant->fence, "r").ok());
      }
    }
  });
  std::thread other([&] {
    while (!stop) EXPECT_EQ(Round(maintenance(), "", 3).repairs, std::vector<std::string>());
  });
  for (int round = 0; round < 20; ++round) {
    const AuditReport report = Round(maintenance(), round % 2 == 0 ? "" : kAuditEverything, 50);
    EXPECT_EQ(report.repairs, std::vector<std::string>());
  }
  stop = true;
  worker.join();
  other.join();
}

}  // namespace phasor::queue
