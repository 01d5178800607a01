#include "engine/api/device_lost.h"

#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

TEST(DeviceLostTest, IsKnownByItsMarkAndNotByItsCode) {
  EXPECT_TRUE(IsDeviceLost(DeviceLost("the card fell off the bus")));
  EXPECT_EQ(DeviceLost("x").code(), StatusCode::kUnavailable);
  EXPECT_FALSE(IsDeviceLost(Unavailable("the card fell off the bus")));
  EXPECT_FALSE(IsDeviceLost(OkStatus()));
}

TEST(DeviceLostTest, TheMarkSurvivesAnnotation) {
  const Status annotated = Annotate(DeviceLost("gone"), "denoise failed");
  EXPECT_TRUE(IsDeviceLost(annotated));
  EXPECT_EQ(Message(annotated), "denoise failed: gone");
}

}  // namespace
}  // namespace phasor::engine
