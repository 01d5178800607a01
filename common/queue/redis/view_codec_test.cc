#include "common/queue/redis/view_codec.h"

#include <gtest/gtest.h>

namespace phasor::queue {
namespace {

TEST(ViewCodecTest, ARecordOfAnotherShapeIsDataLoss) {
  EXPECT_EQ(DecodeView({}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeGrant({}, "n").status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeStats({}).status().code(), StatusCode::kDataLoss);
  EXPECT_EQ(DecodeSeal({}).status().code(), StatusCode::kDataLoss);
}

}  // namespace
}  // namespace phasor::queue
