#include "services/gateway/client_status.h"

#include <gtest/gtest.h>

#include "common/rpc/status_convert.h"

namespace phasor::gateway {
namespace {

TEST(ClientStatusTest, ABackendsTroubleIsNeverInternal) {
  struct Case {
    Status backend;
    StatusCode told;
    bool retry;
  };
  const Case cases[] = {
      {OkStatus(), StatusCode::kOk, false},
      {InvalidArgument("x"), StatusCode::kInvalidArgument, false},
      {NotFound("x"), StatusCode::kNotFound, false},
      {AlreadyExists("x"), StatusCode::kAlreadyExists, false},
      {FailedPrecondition("x"), StatusCode::kFailedPrecondition, false},
      {Unimplemented("x"), StatusCode::kUnimplemented, false},
      {Cancelled("x"), StatusCode::kCancelled, false},
      {DataLoss("x"), StatusCode::kDataLoss, false},
      {ResourceExhausted("x"), StatusCode::kResourceExhausted, true},
      {Unavailable("x"), StatusCode::kUnavailable, true},
      {Internal("x"), StatusCode::kUnavailable, true},
      {DeadlineExceeded("x"), StatusCode::kUnavailable, true},
      {Aborted("x"), StatusCode::kUnavailable, true},
      {MakeStatus(StatusCode::kUnknown, "x"), StatusCode::kUnavailable, true},
      {MakeStatus(StatusCode::kPermissionDenied, "x"), StatusCode::kUnavailable, true},
      {MakeStatus(StatusCode::kUnauthenticated, "x"), StatusCode::kUnavailable, true},
  };
  for (const Case& one : cases) {
    const Status told = ForClient(one.backend);
    EXPECT_EQ(told.code(), one.told) << one.backend;
    EXPECT_EQ(rpc::RetryAfterOf(told).has_value(), one.retry) << one.backend;
    EXPECT_EQ(IsPassing(one.backend), one.retry) << one.backend;
    EXPECT_EQ(Message(told), Message(one.backend));
    EXPECT_EQ(static_cast<int>(AnswerOf(one.backend).error_code()), static_cast<int>(one.told));
  }
}

TEST(ClientStatusTest, TheQueuesOwnDelayStands) {
  const Status full = rpc::WithRetryAfter(ResourceExhausted("full"), Millis(7'000));
  EXPECT_EQ(rpc::RetryAfterOf(ForClient(full)), Millis(7'000));
}

}  // namespace
}  // namespace phasor::gateway
