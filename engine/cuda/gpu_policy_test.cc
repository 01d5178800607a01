#include "engine/cuda/gpu_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace phasor::engine {
namespace {

using ::testing::HasSubstr;

TEST(GpuPolicyTest, ReadsTheNamesOfDevices) {
  EXPECT_EQ(ParseCudaDevice("cpu").value(), std::nullopt);
  EXPECT_EQ(ParseCudaDevice("sim").value(), std::nullopt);
  EXPECT_TRUE(ParseCudaDevice("auto").value()->automatic);
  EXPECT_EQ(ParseCudaDevice("cuda").value()->index, 0);
  EXPECT_EQ(ParseCudaDevice("cuda:3").value()->index, 3);
  for (const char* name : {"cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:128", "cuda: 1"}) {
    EXPECT_THAT(Message(ParseCudaDevice(name).status()), HasSubstr("must be cuda:N")) << name;
  }
}

TEST(GpuPolicyTest, KnowsWhichDevicesThereMayBeAndWhichHaveABound) {
  for (const char* name : {"cpu", "sim", "auto", "cuda", "cuda:7"}) {
    EXPECT_TRUE(CheckDeviceName(name).ok()) << name;
  }
  EXPECT_THAT(Message(CheckDeviceName("tpu")), HasSubstr("must be cpu, sim, cuda:N or auto"));
  EXPECT_FALSE(CheckDeviceName("cuda:x").ok());
  EXPECT_TRUE(IsBoundable("sim") && IsBoundable("cuda:1") && IsBoundable("auto"));
  EXPECT_FALSE(IsBoundable("cpu"));
}

TEST(GpuPolicyTest, ADriverOfTheSameGenerationOrLaterIsRight) {
  const auto of = [](int version) {
    return DriverReport{.cuda_version = version, .driver = "1.2", .gpus = {}};
  };
  EXPECT_FALSE(CheckDriver(of(12090)).ok());
  EXPECT_EQ(CheckDriver(of(12090)).code(), StatusCode::kFailedPrecondition);
  for (const int version : {13000, 13020, 14000}) EXPECT_TRUE(CheckDriver(of(version)).ok());
  EXPECT_EQ(NewerDriver(of(13020)), "");
  EXPECT_THAT(NewerDriver(of(14000)), HasSubstr("driver 1.2 runs CUDA up to 14.0"));
}

TEST(GpuPolicyTest, TheTypeFollowsWhatTheCardMultipliesIn) {
  const struct {
    int major;
    const char* wanted;
    const char* chosen;
  } cases[] = {
      {9, "auto", "fp16"}, {8, "auto", "fp16"},    {7, "auto", "fp16"},   {6, "auto", "fp32"},
      {6, "fp32", "fp32"}, {9, "fp32", "fp32"},    {8, "bf16", "bf16"},   {7, "bf16", "refused"},
      {7, "fp16", "fp16"}, {6, "fp16", "refused"}, {9, "fp8", "refused"},
  };
  for (const auto& [major, wanted, chosen] : cases) {
    const StatusOr<std::string> dtype =
        ChooseDtype(wanted, {.name = "Card", .bus_id = {}, .major = major, .minor = 5});
    EXPECT_EQ(dtype.ok() ? *dtype : "refused", chosen) << major << " " << wanted;
  }
  EXPECT_THAT(
      Message(ChooseDtype("bf16", {.name = "Card", .bus_id = {}, .major = 7, .minor = 5}).status()),
      HasSubstr("bf16 needs a card of compute capability 8.0 or more; Card has 7.5"));
}

TEST(GpuPolicyTest, HardwareErrorsMakeACardUnfitAndAProgramsOwnDoNot) {
  const GpuHealth well{.uncorrected_ecc_errors = 3, .xids = {}};
  EXPECT_TRUE(JudgeHealth(well, well).ok()) << "errors from before the worker began";
  for (const uint64_t xid : {13, 31, 43, 45, 68, 109}) {
    EXPECT_TRUE(JudgeHealth(well, {.uncorrected_ecc_errors = 3, .xids = {xid}}).ok()) << xid;
  }
  for (const uint64_t xid : {48, 63, 64, 74, 79, 92, 94, 95, 119, 120, 999}) {
    EXPECT_EQ(JudgeHealth(well, {.uncorrected_ecc_errors = 3, .xids = {31, xid}}).code(),
              StatusCode::kUnavailable)
        << xid;
  }
  EXPECT_FALSE(JudgeHealth(well, {.uncorrected_ecc_errors = 4, .xids = {}}).ok());
  EXPECT_TRUE(JudgeHealth({}, {.uncorrected_ecc_errors = 4, .xids = {}}).ok())
      << "a card that did not tell before";
}

}  // namespace
}  // namespace phasor::engine
