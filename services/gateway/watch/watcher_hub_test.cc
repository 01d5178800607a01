#include "services/gateway/watch/watcher_hub.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "services/gateway/testing/testing_fixture.h"

namespace phasor::gateway {
namespace {

class WatcherHubTest : public testing::Test {
 protected:
  // The pool's looks use the hub, which goes first.
  ~WatcherHubTest() override { pool_.Stop(); }

  job::JobId Submit(const std::string& key) {
    queue::SubmitRequest request;
    request.id = job::MakeJobId("secret", "", key);
    request.model = "demo";
    EXPECT_TRUE(fleet_.queue.Submit(request).ok());
    return request.id;
  }

  std::shared_ptr<Watcher> Watch(const job::JobId& id) {
    return std::make_shared<Watcher>(id, Watcher::Options{.wake = [this] {
                                       MutexLock lock(&mu_);
                                       ++wakes_;
                                     }});
  }

  // Waits for the next item of `watcher`.
  Watcher::Item Next(Watcher* watcher) {
    for (;;) {
      if (auto item = watcher->Next()) return *std::move(item);
      MutexLock lock(&mu_);
      mu_.Await(absl::Condition(
          +[](int* wakes) { return *wakes > 0; }, &wakes_));
      wakes_ = 0;
    }
  }

  MemoryFleet fleet_;
  metrics::Registry metrics_;
  JobReader reader_{&fleet_.queue, &fleet_.store};
  Mutex mu_;
  int wakes_ GUARDED_BY(mu_) = 0;
  WorkPool pool_{{.threads = 1, .max_queued = 100}, &metrics_};
  WatcherHub hub_{{&reader_, &pool_, &fleet_.clock}};
};

TEST_F(WatcherHubTest, BeginsWithTheJobAsItIs) {
  const auto watcher = Watch(Submit("a"));
  hub_.Add(watcher);
  EXPECT_EQ(std::get<v1::Job>(Next(watcher.get())).state(), v1::QUEUED);
  hub_.Remove(watcher);
  EXPECT_EQ(hub_.watched_jobs(), 0u);
}

TEST_F(WatcherHubTest, AJobThatDoesNotExistEndsAtOnce) {
  const auto watcher = Watch(job::MakeJobId("secret", "", "none"));
  hub_.Add(watcher);
  EXPECT_EQ(std::get<Status>(Next(watcher.get())).code(), StatusCode::kNotFound);
}

TEST_F(WatcherHubTest, AnEventOfAChangeBringsTheNewState) {
  const job::JobId id = Submit("a");
  const auto watcher = Watch(id);
  hub_.Add(watcher);
  EXPECT_EQ(std::get<v1::Job>(Next(watcher.get())).state(), v1::QUEUED);
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  queue::Event event;
  event.id = id;
  event.version = 3;
  event.state = queue::State::kDone;
  hub_.OnEvent(event);
  const auto done = std::get<v1::Job>(Next(watcher.get()));
  EXPECT_EQ(done.state(), v1::DONE);
  EXPECT_EQ(done.result().images(0).sha256(), Sha256Hex("png"));
  EXPECT_TRUE(std::get<Status>(Next(watcher.get())).ok());
}

TEST_F(WatcherHubTest, ALostEventIsMadeUpForByThePoll) {
  const auto watcher = Watch(Submit("a"));
  hub_.Add(watcher);
  EXPECT_EQ(std::get<v1::Job>(Next(watcher.get())).state(), v1::QUEUED);
  ASSERT_TRUE(fleet_.Finish(fleet_.Take(), {"png"}).ok());
  fleet_.clock.Advance(Millis(2000));
  hub_.Tick();
  EXPECT_EQ(std::get<v1::Job>(Next(watcher.get())).state(), v1::DONE);
}

TEST_F(WatcherHubTest, CloseEndsWatchersNowAndLater) {
  const auto watcher = Watch(Submit("a"));
  hub_.Add(watcher);
  EXPECT_EQ(std::get<v1::Job>(Next(watcher.get())).state(), v1::QUEUED);
  hub_.Close(Unavailable("shutting down"));
  EXPECT_EQ(std::get<Status>(Next(watcher.get())).code(), StatusCode::kUnavailable);
  const auto late = Watch(watcher->id());
  hub_.Add(late);
  EXPECT_EQ(std::get<Status>(Next(late.get())).code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace phasor::gateway
