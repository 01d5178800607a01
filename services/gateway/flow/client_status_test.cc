#include "services/gateway/flow/client_status.h"

#include <gtest/gtest.h>

#include "common/rpc/status_details.h"
#include "services/gateway/grpc/client_answer.h"

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
    EXPECT_EQ(static_cast<int>(AnswerOf(one.backend).error_code()), static_cast<int>(one.told));
  }
}

TEST(ClientStatusTest, NothingOfTheFleetsInsideLeaves) {
  const Status inside[] = {
      Unavailable("cannot reach Redis at 10.1.2.3:6379: connection refused"),
      Unavailable("no answer from https://store.internal:9000: timeout"),
      ResourceExhausted("cannot write /srv/phasor/store/jobs/x: no space left on device"),
      Internal("Redis: ERR 10.1.2.3"),
      MakeStatus(StatusCode::kPermissionDenied, "/srv/phasor/store: permission denied"),
  };
  for (const Status& status : inside) {
    for (const char* word : {"10.1.2.3", "store.internal", "/srv", "Redis"}) {
      EXPECT_EQ(Message(ForClient(status)).find(word), std::string::npos) << status;
      EXPECT_EQ(AnswerOf(status).error_message().find(word), std::string::npos) << status;
    }
  }
}

TEST(ClientStatusTest, WhatIsMeantForClientsArrivesInItsOwnWords) {
  const Status own[] = {
      Public(Unavailable("the queue is paused")),
      rpc::WithRetryAfter(ResourceExhausted("too many calls"), Millis(10)),
      InvalidArgument("width must be a multiple of 8, got 7"),
      DataLoss("a picture of this job is damaged in the store"),
  };
  for (const Status& status : own) {
    EXPECT_EQ(AnswerOf(status).error_message(), Message(status));
  }
  const grpc::Status paused = AnswerOf(own[0]);
  EXPECT_EQ(paused.error_details().find("public"), std::string::npos) << "the mark stays inside";
}

TEST(ClientStatusTest, TheQueuesOwnDelayStands) {
  const Status full = rpc::WithRetryAfter(ResourceExhausted("full"), Millis(7'000));
  EXPECT_EQ(rpc::RetryAfterOf(ForClient(full)), Millis(7'000));
}

}  // namespace
}  // namespace phasor::gateway
