#include "engine/runtime/guard.h"

#include <gtest/gtest.h>

#include "engine/api/device_lost.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <c10/util/Exception.h>

#include <functional>
#include <new>
#include <stdexcept>

namespace phasor::engine {
namespace {

TEST(GuardTest, AnErrorThatLeavesTheCardLostHasThatMark) {
  const auto status_of = [](const char* text) {
    return Guard([&]() -> Status { TORCH_CHECK(false, text); });
  };
  EXPECT_TRUE(IsDeviceLost(status_of("CUDA error: an illegal memory access was encountered")));
  EXPECT_EQ(status_of("CUDA error: out of memory").code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(IsDeviceLost(status_of("CUDA error: invalid argument")));
}

TEST(GuardTest, GivesEachExceptionItsCode) {
  struct Case {
    const char* what;
    std::function<void()> body;
    StatusCode code;
    const char* text;
  };
  const Case cases[] = {
      {"LibTorch's out of memory",
       [] { TORCH_CHECK_WITH(OutOfMemoryError, false, "device is full"); },
       StatusCode::kResourceExhausted, "device is full"},
      {"a CPU allocation that can't be", [] { at::empty({int64_t{1} << 46}, at::kFloat); },
       StatusCode::kResourceExhausted, "allocate memory"},
      {"cuDNN's out of memory",
       [] { TORCH_CHECK(false, "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"); },
       StatusCode::kResourceExhausted, "out of memory: cuDNN error"},
      {"cuBLAS's out of memory",
       [] { TORCH_CHECK(false, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"); },
       StatusCode::kResourceExhausted, "out of memory: CUDA error"},
      {"the CUDA runtime's out of memory", [] { TORCH_CHECK(false, "CUDA error: out of memory"); },
       StatusCode::kResourceExhausted, "out of memory"},
      {"another error of cuDNN",
       [] { TORCH_CHECK(false, "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"); },
       StatusCode::kInternal, "EXECUTION_FAILED"},
      {"std::bad_alloc", [] { throw std::bad_alloc(); }, StatusCode::kResourceExhausted, "memory"},
      {"a refused value", [] { TORCH_CHECK_VALUE(false, "no such value"); },
       StatusCode::kInvalidArgument, "no such value"},
      {"shapes that do not go together",
       [] {
         at::matmul(at::ones({2, 3}), at::ones({4, 5}));
       },
       StatusCode::kInternal, "shapes"},
      {"any other exception", [] { throw std::runtime_error("odd"); }, StatusCode::kInternal,
       "odd"},
      {"something that is no exception", [] { throw 3; }, StatusCode::kInternal, "unknown"},
  };
  for (const Case& test : cases) {
    const Status status = Guard([&] {
      test.body();
      return OkStatus();
    });
    EXPECT_EQ(status.code(), test.code) << test.what << ": " << status;
    EXPECT_NE(Message(status).find(test.text), std::string::npos) << test.what << ": " << status;
  }
}

TEST(GuardTest, PassesValuesThroughAndTurnsAutogradOff) {
  const StatusOr<bool> inference =
      Guard([]() -> StatusOr<bool> { return c10::InferenceMode::is_enabled(); });
  ASSERT_TRUE(inference.ok());
  EXPECT_TRUE(*inference);
  EXPECT_FALSE(c10::InferenceMode::is_enabled());
}

}  // namespace
}  // namespace phasor::engine
