#include "common/rpc/status_convert.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace phasor::rpc {
namespace {

TEST(StatusConvertTest, EveryCodeSurvivesTheWayThereAndBack) {
  for (int code = 0; code <= 16; ++code) {
    const Status status = MakeStatus(static_cast<StatusCode>(code), "why");
    const grpc::Status sent = ToGrpc(status);
    EXPECT_EQ(sent.error_code(), code);
    EXPECT_EQ(FromGrpc(sent), status);
  }
}

TEST(StatusConvertTest, FieldViolationsTravelAsBadRequest) {
  const Status status = InvalidFields(
      {{"width", "must be a multiple of 8, got 7"}, {"steps", "must be between 1 and 150, got 0"}});
  EXPECT_EQ(Message(status), "width must be a multiple of 8, got 7 (and 1 more)");

  const grpc::Status sent = ToGrpc(status);
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(sent.error_details()));
  EXPECT_EQ(rich.code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(rich.message(), sent.error_message());
  google::rpc::BadRequest bad;
  ASSERT_EQ(rich.details_size(), 1);
  ASSERT_TRUE(rich.details(0).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations(1).field(), "steps");

  const auto violations = FieldViolationsOf(FromGrpc(sent));
  ASSERT_EQ(violations.size(), 2u);
  EXPECT_EQ(violations[0].field, "width");
  EXPECT_EQ(violations[0].description, "must be a multiple of 8, got 7");
}

TEST(StatusConvertTest, RetryInfoTravels) {
  const Status status = WithRetryAfter(ResourceExhausted("the queue is full"), Millis(1500));
  EXPECT_EQ(RetryAfterOf(FromGrpc(ToGrpc(status))), Millis(1500));
  EXPECT_EQ(RetryAfterOf(ResourceExhausted("without")), std::nullopt);
}

TEST(StatusConvertTest, LongTextIsCutBetweenCharacters) {
  std::string message(1023, 'x');
  message += "\xc3\xa4 and more";
  const std::string sent = ToGrpc(Internal(message)).error_message();
  EXPECT_EQ(sent, message.substr(0, 1023).append("..."));
  const std::vector<FieldViolation> many(1000, {"prompt", std::string(10'000, 'y')});
  EXPECT_LT(ToGrpc(InvalidFields(many)).error_details().size(), 32'000u);
}

TEST(StatusConvertTest, BrokenDetailsAreIgnored) {
  const grpc::Status hostile(grpc::UNAVAILABLE, "down", "\xff\xff\xff not a proto");
  const Status status = FromGrpc(hostile);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(FieldViolationsOf(status).empty());
  EXPECT_EQ(RetryAfterOf(status), std::nullopt);
}

}  // namespace
}  // namespace phasor::rpc
