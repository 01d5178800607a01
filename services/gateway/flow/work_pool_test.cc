#include "services/gateway/flow/work_pool.h"

#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/synchronization/notification.h"

namespace phasor::gateway {
namespace {

TEST(WorkPoolTest, AFullPoolRefusesAtOnceAndCountsIt) {
  metrics::Registry metrics;
  WorkPool pool({.threads = 1, .max_queued = 2}, &metrics);
  absl::Notification running;
  absl::Notification release;
  std::atomic<int> done = 0;
  ASSERT_TRUE(pool.TryPost([&] {
    running.Notify();
    release.WaitForNotification();
    ++done;
  }));
  running.WaitForNotification();
  EXPECT_TRUE(pool.TryPost([&] { ++done; }));
  EXPECT_TRUE(pool.TryPost([&] { ++done; }));
  EXPECT_FALSE(pool.TryPost([&] { ++done; }));
  EXPECT_THAT(metrics.Text(), testing::HasSubstr("phasor_gateway_work_queued{pool=\"calls\"} 2"));
  EXPECT_THAT(metrics.Text(),
              testing::HasSubstr("phasor_gateway_work_refused_total{pool=\"calls\"} 1"));
  release.Notify();
  pool.Stop();
  EXPECT_EQ(done, 3);
}

TEST(WorkPoolTest, StopRunsWhatIsQueuedAndTakesNothingMore) {
  metrics::Registry metrics;
  WorkPool pool({.threads = 4, .max_queued = 1000}, &metrics);
  std::atomic<int> done = 0;
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(pool.TryPost([&] { ++done; }));
  pool.Stop();
  EXPECT_EQ(done, 500);
  EXPECT_FALSE(pool.TryPost([&] { ++done; }));
}

}  // namespace
}  // namespace phasor::gateway
