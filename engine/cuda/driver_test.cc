// On the imagined driver of engine/cuda/testing, which the test's environment puts first.
#include "engine/cuda/driver.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/cuda/device_choice.h"
#include "engine/cuda/gpu_policy.h"
#include "engine/cuda/nvml.h"

namespace phasor::engine {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DriverTest : public testing::Test {
 protected:
  ~DriverTest() override {
    for (const char* name : kVariables) ::unsetenv(name);
  }
  static void Set(const char* name, const char* value) { ::setenv(name, value, 1); }

  static constexpr const char* kVariables[] = {"PHASOR_FAKE_CUDA_VERSION", "PHASOR_FAKE_CUDA_CARDS",
                                               "PHASOR_FAKE_CUDA_INIT",    "PHASOR_FAKE_NVML_XID",
                                               "PHASOR_FAKE_NVML_ECC",     "PHASOR_FAKE_NVML_MIG"};
};

TEST_F(DriverTest, ShowsItsCards) {
  Set("PHASOR_FAKE_CUDA_CARDS", "2");
  const DriverReport report = AskDriver().value();
  EXPECT_EQ(report.cuda_version, 13000);
  EXPECT_EQ(report.driver, "580.65.06");
  ASSERT_EQ(report.gpus.size(), 2u);
  EXPECT_EQ(report.gpus[1].name, "Imagined 1");
  EXPECT_EQ(report.gpus[1].bus_id, "0000:01:00.0");
  EXPECT_EQ(report.gpus[1].major, 8);
  EXPECT_EQ(report.gpus[1].minor, 6);
  EXPECT_EQ(report.gpus[1].memory_bytes, uint64_t{24} << 30);
  EXPECT_EQ(FindGpu("cuda:1").value().index, 1);
}

TEST_F(DriverTest, SaysWithBothVersionsThatItIsTooOld) {
  Set("PHASOR_FAKE_CUDA_VERSION", "12020");
  EXPECT_THAT(Message(FindGpu("cuda:0").status()),
              AllOf(StartsWith("device cuda:0: "), HasSubstr("580.65.06 runs CUDA up to 12.2"),
                    HasSubstr("needs 13.0 or newer")));
}

TEST_F(DriverTest, SaysWithBothVersionsThatItIsNewer) {
  Set("PHASOR_FAKE_CUDA_VERSION", "14010");
  EXPECT_TRUE(FindGpu("cuda:0").ok());
  EXPECT_THAT(NewerDriver(AskDriver().value()), AllOf(HasSubstr("14.1"), HasSubstr("13.0")));
}

TEST_F(DriverTest, SaysWhyItDoesNotStartOrShowsNoCard) {
  Set("PHASOR_FAKE_CUDA_INIT", "803");
  EXPECT_THAT(Message(FindGpu("cuda:0").status()),
              HasSubstr("does not start: system has unsupported display driver"));
  Set("PHASOR_FAKE_CUDA_INIT", "999");
  EXPECT_THAT(Message(FindGpu("cuda:0").status()), HasSubstr("does not start: error 999"));
  Set("PHASOR_FAKE_CUDA_INIT", "100");
  EXPECT_THAT(Message(FindGpu("cuda:0").status()), HasSubstr("the driver shows none"));
  Set("PHASOR_FAKE_CUDA_INIT", "0");
  EXPECT_THAT(Message(FindGpu("cuda:5").status()),
              HasSubstr("no card 5; the driver shows cuda:0 (Imagined 0)"));
}

TEST_F(DriverTest, TheChoiceOfADeviceNeedsTheDriverTheCardAndThePlugIn) {
  const ChosenDevice card = ChooseDevice("auto", "/a/plug-in.so").value();
  EXPECT_EQ(card.name, "cuda:0");
  EXPECT_EQ(card.card.value().name, "Imagined 0");
  EXPECT_EQ(card.driver, "580.65.06");
  EXPECT_TRUE(card.why_no_card.ok());
  EXPECT_EQ(ChooseDevice("cuda", "/a/plug-in.so").value().name, "cuda:0");

  EXPECT_EQ(ChooseDevice("auto", "").value().name, "cpu");
  EXPECT_THAT(Message(ChooseDevice("auto", "").value().why_no_card),
              HasSubstr("libphasor_cuda.so is not beside this program"));
  EXPECT_THAT(Message(ChooseDevice("cuda:0", "").status()),
              StartsWith("device cuda:0: libphasor_cuda.so is not beside"));
  EXPECT_THAT(Message(ChooseDevice("cuda:1", "/a/plug-in.so").status()),
              StartsWith("device cuda:1: there is no card 1"));

  Set("PHASOR_FAKE_CUDA_VERSION", "14010");
  EXPECT_THAT(ChooseDevice("auto", "/a/plug-in.so").value().note, HasSubstr("newer than 13.0"));
  Set("PHASOR_FAKE_CUDA_VERSION", "12020");
  const ChosenDevice none = ChooseDevice("auto", "/a/plug-in.so").value();
  EXPECT_EQ(none.name, "cpu");
  EXPECT_FALSE(none.card.has_value());
  EXPECT_THAT(Message(none.why_no_card), HasSubstr("needs 13.0 or newer"));
  for (const char* name : {"cpu", "sim"}) {
    EXPECT_EQ(ChooseDevice(name, "").value().name, name);
    EXPECT_TRUE(ChooseDevice(name, "").value().why_no_card.ok());
  }
  EXPECT_THAT(Message(ChooseDevice("tpu", "").status()), HasSubstr("device: must be cpu, sim"));
}

TEST_F(DriverTest, TheManagementLibraryTellsHowTheCardIs) {
  const Gpu gpu = FindGpu("cuda:0").value();
  const auto watch = GpuWatch::Make(gpu).value();
  const GpuHealth before = watch->Look();
  EXPECT_EQ(before.utilization_percent, 87);
  EXPECT_EQ(before.temperature_celsius, 64);
  EXPECT_EQ(before.uncorrected_ecc_errors, 0);
  EXPECT_EQ(before.memory_used_bytes, uint64_t{4} << 30);
  EXPECT_EQ(before.power_watts, 72.5);
  EXPECT_FALSE(before.mig);
  EXPECT_TRUE(before.xids.empty());
  EXPECT_TRUE(JudgeHealth(before, before).ok());

  Set("PHASOR_FAKE_NVML_MIG", "1");
  EXPECT_TRUE(watch->Look().mig);
  Set("PHASOR_FAKE_NVML_XID", "79");
  EXPECT_THAT(Message(JudgeHealth(before, watch->Look())), HasSubstr("Xid 79"));
  Set("PHASOR_FAKE_NVML_ECC", "2");
  EXPECT_THAT(Message(JudgeHealth(before, watch->Look())), HasSubstr("had 2 errors"));
  EXPECT_FALSE(GpuWatch::Make({.index = 1, .name = {}, .bus_id = "0000:01:00.0"}).ok());
}

}  // namespace
}  // namespace phasor::engine
