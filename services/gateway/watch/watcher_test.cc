#include "services/gateway/watch/watcher.h"

#include <string>

#include <gtest/gtest.h>

namespace phasor::gateway {
namespace {

v1::Job Job(v1::JobState state, int64_t version, int64_t position = -1) {
  v1::Job job;
  job.set_state(state);
  job.set_version(version);
  job.set_queue_position(position);
  return job;
}

queue::Event Progress(int step, int64_t epoch = 1) {
  queue::Event event;
  event.epoch = epoch;
  event.state = queue::State::kLeased;
  event.phase = queue::Phase::kDenoising;
  event.step = step;
  event.steps = 20;
  return event;
}

queue::Event Preview(int image, size_t bytes) {
  queue::Event event = Progress(1);
  event.preview.assign(bytes, 'p');
  event.preview_image = image;
  return event;
}

class WatcherTest : public testing::Test {
 protected:
  // The next items as words: "job QUEUED", "progress 3", "preview 0", "end OK".
  std::string All() {
    std::string words;
    while (auto item = watcher_.Next()) {
      if (!words.empty()) words += ", ";
      if (const auto* job = std::get_if<v1::Job>(&*item)) {
        words += "job " + v1::JobState_Name(job->state());
      } else if (const auto* progress = std::get_if<v1::Progress>(&*item)) {
        words += progress->queue_position() >= 0
                     ? "place " + std::to_string(progress->queue_position())
                     : "progress " + std::to_string(progress->step());
      } else if (const auto* preview = std::get_if<v1::Preview>(&*item)) {
        words += "preview " + std::to_string(preview->image_index()) + " at " +
                 std::to_string(preview->step());
      } else {
        words += "end " + std::get<Status>(*item).ToString();
      }
    }
    return words;
  }

  int wakes_ = 0;
  Watcher watcher_{"id", {.previews = true, .wake = [this] { ++wakes_; }}};
};

TEST_F(WatcherTest, TellsStatesAndProgressInOrder) {
  watcher_.OnJob(Job(v1::QUEUED, 1, 3));
  EXPECT_EQ(All(), "job QUEUED");
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  watcher_.OnEvent(Progress(4));
  EXPECT_EQ(All(), "job INITIALIZING, progress 4");
  watcher_.OnJob(Job(v1::DONE, 3));
  EXPECT_EQ(All(), "job DONE, end OK");
}

TEST_F(WatcherTest, TheJobComesFirstHoweverEarlyThereIsNews) {
  watcher_.OnEvent(Progress(4));
  watcher_.OnEvent(Preview(0, 10));
  EXPECT_EQ(All(), "");
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  EXPECT_EQ(All(), "job INITIALIZING, progress 4, preview 0 at 1");

  Watcher unknown("id", {.previews = true, .wake = [] {}});
  unknown.OnEvent(Progress(4));
  unknown.OnEnd(NotFound("gone"));
  EXPECT_TRUE(std::holds_alternative<Status>(*unknown.Next()));

  Watcher told("id", {.accepted = true, .wake = [] {}});
  told.OnEvent(Progress(4));
  EXPECT_TRUE(std::holds_alternative<v1::Progress>(*told.Next()));
}

TEST_F(WatcherTest, ASlowReaderGetsTheLatestOnly) {
  watcher_.OnJob(Job(v1::QUEUED, 1));
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  for (int step = 0; step < 1000; ++step) watcher_.OnEvent(Progress(step));
  EXPECT_EQ(All(), "job INITIALIZING, progress 999");
}

TEST_F(WatcherTest, PreviewsKeepTheLatestOfEachPictureAndAreBounded) {
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  EXPECT_EQ(All(), "job INITIALIZING");
  for (int image = 0; image < 100; ++image) {
    for (int step : {1, 2}) {
      queue::Event event = Progress(step);
      event.preview = "png";
      event.preview_image = image;
      watcher_.OnEvent(event);
    }
  }
  const std::string all = All();
  EXPECT_EQ(all.substr(0, 30), "preview 0 at 2, preview 1 at 2");
  EXPECT_EQ(std::count(all.begin(), all.end(), ','), 15);
}

TEST_F(WatcherTest, TheEndIsToldOnceAndNothingAfterIt) {
  watcher_.OnEvent(Progress(19));
  watcher_.OnJob(Job(v1::CANCELED, 9));
  watcher_.OnJob(Job(v1::DONE, 10));
  watcher_.OnEvent(Progress(20));
  watcher_.OnEnd(Unavailable("shutting down"));
  EXPECT_EQ(All(), "job CANCELED, end OK");
  EXPECT_EQ(All(), "");
}

TEST_F(WatcherTest, OldNewsIsNoNews) {
  watcher_.OnJob(Job(v1::INITIALIZING, 5));
  watcher_.OnEvent(Progress(7, 2));
  EXPECT_EQ(All(), "job INITIALIZING, progress 7");
  const int before = wakes_;
  watcher_.OnJob(Job(v1::QUEUED, 4));
  watcher_.OnJob(Job(v1::INITIALIZING, 5));
  watcher_.OnEvent(Progress(12, 1));
  EXPECT_EQ(All(), "");
  EXPECT_EQ(wakes_, before);
}

TEST_F(WatcherTest, ProgressOutlivesALateLookUnlessTheJobWasGivenBack) {
  watcher_.OnEvent(Progress(4));
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  EXPECT_EQ(All(), "job INITIALIZING, progress 4");
  watcher_.OnEvent(Progress(5));
  watcher_.OnJob(Job(v1::QUEUED, 3, 0));
  EXPECT_EQ(All(), "job QUEUED");
}

TEST_F(WatcherTest, AMoveInTheQueueIsProgress) {
  watcher_.OnJob(Job(v1::QUEUED, 1, 3));
  EXPECT_EQ(All(), "job QUEUED");
  watcher_.OnJob(Job(v1::QUEUED, 1, 2));
  EXPECT_EQ(All(), "place 2");
}

TEST_F(WatcherTest, AnErrorEndsTheStream) {
  watcher_.OnJob(Job(v1::QUEUED, 1));
  watcher_.OnEnd(NotFound("gone"));
  EXPECT_EQ(All(), "job QUEUED, end NOT_FOUND: gone");
}

TEST_F(WatcherTest, UnreadPreviewsAreBoundedInBytesToo) {
  watcher_.OnJob(Job(v1::INITIALIZING, 2));
  EXPECT_EQ(All(), "job INITIALIZING");
  for (int image = 0; image < 8; ++image) watcher_.OnEvent(Preview(image, 60 << 10));
  EXPECT_EQ(All(), "preview 0 at 1, preview 1 at 1, preview 2 at 1, preview 3 at 1");
  watcher_.OnEvent(Preview(7, 200 << 10));
  watcher_.OnEvent(Preview(7, 250 << 10));
  watcher_.OnEvent(Preview(8, 10 << 10));
  EXPECT_EQ(All(), "preview 7 at 1") << "a newer one takes the place of its elder";
  watcher_.OnEvent(Preview(9, 300 << 10));
  EXPECT_EQ(All(), "");
}

}  // namespace
}  // namespace phasor::gateway
