#include "engine/device/copy_queue.h"

#include <chrono>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(CopyQueueTest, DoesWorkBesideWhoAskedForItAndInOrder) {
  std::vector<int> done;
  std::promise<void> gate;
  std::future<void> second;
  {
    CopyQueue queue;
    queue.Add([&, opened = gate.get_future().share()] {
      opened.wait();
      done.push_back(1);
    });
    second = queue.Add([&] { done.push_back(2); });
    EXPECT_EQ(second.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
        << "this thread goes on, the second waits for the first";
    gate.set_value();
    second.get();
    queue.Add([&] { done.push_back(3); });
  }
  EXPECT_EQ(done, (std::vector<int>{1, 2, 3})) << "the end waits for what is there";
}

TEST(CopyQueueTest, HandsOverWhatACopyThrowsAndGoesOn) {
  CopyQueue queue;
  std::future<void> broken = queue.Add([] { throw std::runtime_error("no room"); });
  EXPECT_THROW(broken.get(), std::runtime_error);
  bool done = false;
  queue.Add([&] { done = true; }).get();
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace phasor::engine
