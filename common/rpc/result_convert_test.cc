#include "common/rpc/result_convert.h"

#include <gtest/gtest.h>

namespace phasor::rpc {
namespace {

storage::TerminalRecord Record() {
  storage::TerminalRecord record;
  record.worker = "w1";
  record.images.push_back({"jobs/x/r/1-a-0.png", "ab12", 1234, 7, 136, 104});
  record.images.push_back({"jobs/x/r/1-a-1.png", "cd34", 1235, 8, 136, 104});
  return record;
}

TEST(ResultConvertTest, PicturesComeFromTheRecordAndTheRestFromTheDetails) {
  v1::Result told;
  told.add_images()->set_sha256("not to be trusted");
  told.set_attempts(2);
  told.set_peak_memory_bytes(1 << 30);
  auto* timing = told.add_timings();
  timing->set_phase("denoise");
  timing->set_seconds(1.5);
  storage::TerminalRecord record = Record();
  record.details = EncodeDetails(told);

  const v1::Result result = ResultOf(record);
  ASSERT_EQ(result.images_size(), 2);
  EXPECT_EQ(result.images(0).sha256(), "ab12");
  EXPECT_EQ(result.images(1).index(), 1);
  EXPECT_EQ(result.images(1).seed(), 8);
  EXPECT_EQ(result.images(1).size_bytes(), 1235);
  EXPECT_EQ(result.images(1).format(), v1::PNG);
  EXPECT_EQ(result.attempts(), 2);
  EXPECT_EQ(result.timings(0).seconds(), 1.5);
  EXPECT_EQ(result.worker(), "w1");
}

TEST(ResultConvertTest, TheDetailsSayWhichRequestItWas) {
  storage::TerminalRecord record = Record();
  EXPECT_EQ(FingerprintOf(record), "");
  record.details = EncodeDetails({}, "ab12");
  EXPECT_EQ(FingerprintOf(record), "ab12");
  record.details = "\xff\xff garbage";
  EXPECT_EQ(FingerprintOf(record), "");
}

TEST(ResultConvertTest, BrokenDetailsLeaveThePictures) {
  storage::TerminalRecord record = Record();
  record.details = "\xff\xff garbage";
  EXPECT_EQ(ResultOf(record).images_size(), 2);
  EXPECT_EQ(ResultOf(record).attempts(), 0);
}

}  // namespace
}  // namespace phasor::rpc
