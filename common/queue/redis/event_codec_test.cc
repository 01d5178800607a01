#include "common/queue/redis/event_codec.h"

#include <gtest/gtest.h>

#include <limits>

namespace phasor::queue {
namespace {

Event FullEvent() {
  Event event;
  event.id = job::MakeJobId("secret", "tenant", "key");
  event.version = 7;
  event.epoch = 3;
  event.state = State::kLeased;
  event.phase = Phase::kDenoising;
  event.step = 12;
  event.steps = 30;
  event.seconds_left = 4.25;
  event.worker = "worker with\nany bytes";
  event.preview = std::string("\x89PNG\r\n\0\x1a\n 1 2", 13);
  event.preview_image = 2;
  return event;
}

TEST(EventCodecTest, KeepsEveryField) {
  const Event event = FullEvent();
  const StatusOr<std::vector<Event>> events = DecodeEvents(EncodeEvent(event));
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 1u);
  const Event* decoded = &events->front();
  EXPECT_EQ(decoded->id, event.id);
  EXPECT_EQ(decoded->version, event.version);
  EXPECT_EQ(decoded->epoch, event.epoch);
  EXPECT_EQ(decoded->state, event.state);
  EXPECT_EQ(decoded->phase, event.phase);
  EXPECT_EQ(decoded->step, event.step);
  EXPECT_EQ(decoded->steps, event.steps);
  EXPECT_DOUBLE_EQ(decoded->seconds_left, event.seconds_left);
  EXPECT_EQ(decoded->worker, event.worker);
  EXPECT_EQ(decoded->preview, event.preview);
  EXPECT_EQ(decoded->preview_image, event.preview_image);
}

TEST(EventCodecTest, TimesThatAreNoNumbersAreUnknown) {
  Event event = FullEvent();
  for (const double seconds :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -1.0}) {
    event.seconds_left = seconds;
    EXPECT_EQ(DecodeEvents(EncodeEvent(event))->front().seconds_left, 0.0);
  }
}

TEST(EventCodecTest, RejectsEveryTruncation) {
  const std::string bytes = EncodeEvent(FullEvent());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeEvents(bytes.substr(0, size)).status().code(), StatusCode::kDataLoss) << size;
  }
  EXPECT_FALSE(DecodeEvents(bytes + "x").ok());
}

TEST(EventCodecTest, SeveralEventsTravelInOneMessage) {
  Event second = FullEvent();
  second.version = 8;
  second.preview.clear();
  const StatusOr<std::vector<Event>> events =
      DecodeEvents(EncodeEvent(FullEvent()) + EncodeEvent(second) + EncodeEvent(FullEvent()));
  ASSERT_TRUE(events.ok()) << events.status();
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ((*events)[0].preview, FullEvent().preview);
  EXPECT_EQ((*events)[1].version, 8);
  EXPECT_EQ((*events)[1].preview, "");
  EXPECT_EQ((*events)[2].worker, FullEvent().worker);
}

TEST(EventCodecTest, RejectsMalformedFields) {
  const std::string id = FullEvent().id;
  const std::string good = "1 " + id + " 1 1 LEASED - 1 2 3 0 0 0\n";
  ASSERT_TRUE(DecodeEvents(good).ok());
  for (const std::string& bad : {
           "2 " + id + " 1 1 LEASED - 1 2 3 0 0 0\n",
           std::string("1 short 1 1 LEASED - 1 2 3 0 0 0\n"),
           "1 " + id + " -1 1 LEASED - 1 2 3 0 0 0\n",
           "1 " + id + " 1 1 FLYING - 1 2 3 0 0 0\n",
           "1 " + id + " 1 1 LEASED NAPPING 1 2 3 0 0 0\n",
           "1 " + id + " 1 1 LEASED - 99999999999 2 3 0 0 0\n",
           "1 " + id + " 1 1 LEASED - 1 2 3 0 18446744073709551615 0\n",
           "1 " + id + " 1 1 LEASED - 1 2 3 0 1 18446744073709551615\n",
           "1 " + id + " 1 1 LEASED - 1 2 3 0 0 0 0\n",
       }) {
    EXPECT_EQ(DecodeEvents(bad).status().code(), StatusCode::kDataLoss) << bad;
  }
}

}  // namespace
}  // namespace phasor::queue
