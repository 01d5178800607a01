#include "common/base/utc_text.h"

#include <gtest/gtest.h>

namespace phasor {
namespace {

TEST(UtcTextTest, SaysTheTimeInTheFormatAskedFor) {
  EXPECT_EQ(UtcText(1'767'323'045'678, "%Y-%m-%dT%H:%M:%S"), "2026-01-02T03:04:05");
  EXPECT_EQ(UtcText(1'767'323'045'678, "%Y-%m-%d"), "2026-01-02");
  EXPECT_EQ(UtcText(0, "%Y-%m-%d %H:%M:%S UTC"), "1970-01-01 00:00:00 UTC");
}

}  // namespace
}  // namespace phasor
