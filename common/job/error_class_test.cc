#include "common/job/error_class.h"

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace phasor::job {
namespace {

using Source = FailureSource;

TEST(ErrorClassTest, FollowsFromCodeAndSource) {
  struct Case {
    StatusCode code;
    Source source;
    ErrorClass error;
  };
  using enum ErrorClass;
  const std::vector<Case> cases = {
      {StatusCode::kResourceExhausted, Source::kEngine, kOutOfMemory},
      {StatusCode::kResourceExhausted, Source::kModel, kOutOfMemory},
      {StatusCode::kResourceExhausted, Source::kStore, kStore},
      {StatusCode::kInternal, Source::kEngine, kInternal},
      {StatusCode::kUnknown, Source::kEngine, kInternal},
      {StatusCode::kCancelled, Source::kEngine, kInternal},
      {StatusCode::kAborted, Source::kEngine, kInternal},
      {StatusCode::kUnavailable, Source::kEngine, kInternal},
      {StatusCode::kUnavailable, Source::kStore, kStore},
      {StatusCode::kDeadlineExceeded, Source::kEngine, kTimeout},
      {StatusCode::kDeadlineExceeded, Source::kStore, kStore},
      {StatusCode::kFailedPrecondition, Source::kEngine, kInternal},
      {StatusCode::kFailedPrecondition, Source::kModel, kBadModel},
      {StatusCode::kFailedPrecondition, Source::kRequest, kBadInput},
      {StatusCode::kDataLoss, Source::kEngine, kInternal},
      {StatusCode::kDataLoss, Source::kModel, kBadModel},
      {StatusCode::kDataLoss, Source::kRequest, kBadInput},
      {StatusCode::kPermissionDenied, Source::kStore, kStore},
      {StatusCode::kPermissionDenied, Source::kModel, kBadModel},
      {StatusCode::kUnauthenticated, Source::kRequest, kBadInput},
      {StatusCode::kInvalidArgument, Source::kRequest, kBadInput},
      {StatusCode::kInvalidArgument, Source::kEngine, kBadInput},
      {StatusCode::kInvalidArgument, Source::kModel, kBadModel},
      {StatusCode::kOutOfRange, Source::kEngine, kBadInput},
      {StatusCode::kAlreadyExists, Source::kRequest, kBadInput},
      {StatusCode::kUnimplemented, Source::kEngine, kBadInput},
      {StatusCode::kNotFound, Source::kModel, kBadModel},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ClassOf(c.code, c.source), c.error)
        << static_cast<int>(c.code) << " from " << static_cast<int>(c.source);
  }
}

TEST(ErrorClassTest, ALostDeviceGoesBeforeEveryCode) {
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(ClassOf(static_cast<StatusCode>(code), Source::kEngine, true),
              ErrorClass::kDeviceLost);
  }
}

TEST(ErrorClassTest, OnlyRequestsFailForGoodAtOnce) {
  using enum ErrorClass;
  for (const ErrorClass error : kErrorClasses) {
    EXPECT_EQ(MayPass(error), error != kBadInput) << ToString(error);
  }
}

TEST(ErrorClassTest, RequestsAndMemorySayNothingAboutTheNode) {
  using enum ErrorClass;
  for (const ErrorClass error : kErrorClasses) {
    EXPECT_EQ(BlamesNode(error), error != kBadInput && error != kOutOfMemory) << ToString(error);
  }
}

TEST(ErrorClassTest, WhatStoreMemoryOrDeviceDidIsNeverTheJobs) {
  using enum ErrorClass;
  for (const ErrorClass error : kErrorClasses) {
    EXPECT_EQ(MayBeTheJobs(error), error != kStore && error != kOutOfMemory && error != kDeviceLost)
        << ToString(error);
  }
}

TEST(ErrorClassTest, EachHasAWordOfItsOwn) {
  std::set<std::string> words;
  for (const ErrorClass error : kErrorClasses) words.insert(std::string(ToString(error)));
  EXPECT_EQ(words.size(), kErrorClasses.size());
  EXPECT_EQ(words.count("unknown"), 0u);
}

}  // namespace
}  // namespace phasor::job
