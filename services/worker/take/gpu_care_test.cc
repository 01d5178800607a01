#include "services/worker/take/gpu_care.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace phasor::worker {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ScriptedWatch final : public engine::GpuWatch {
 public:
  explicit ScriptedWatch(std::vector<engine::GpuHealth> looks) : looks_(std::move(looks)) {}
  engine::GpuHealth Look() override { return looks_[std::min(next_++, looks_.size() - 1)]; }

 private:
  const std::vector<engine::GpuHealth> looks_;
  size_t next_ = 0;
};

class GpuCareTest : public testing::Test {
 protected:
  std::unique_ptr<GpuCare> Make(std::vector<engine::GpuHealth> looks) {
    status_.Ready();
    WatchedGpu gpu{.card = card_,
                   .driver = "580.65.06",
                   .watch = std::make_unique<ScriptedWatch>(std::move(looks))};
    return std::make_unique<GpuCare>(std::move(gpu), registry_, status_, [this] { ++taken_out_; });
  }

  const engine::Gpu card_{
      .index = 0, .name = "Card", .bus_id = {}, .major = 8, .minor = 9, .memory_bytes = 8192};

  FakeClock clock_;
  metrics::Registry registry_;
  WorkerStatus status_{{.name = "w1", .node = "n1", .device = "cuda:0"}, clock_};
  int taken_out_ = 0;
};

TEST_F(GpuCareTest, TellsHowTheCardIs) {
  const auto care = Make({{.utilization_percent = 87,
                           .temperature_celsius = 64,
                           .uncorrected_ecc_errors = 1,
                           .memory_used_bytes = 4096,
                           .power_watts = 72.5,
                           .xids = {31}}});
  care->Tick();
  const std::string text = registry_.Text();
  EXPECT_THAT(text, HasSubstr("phasor_gpu_utilization_ratio 0.87"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_utilization_percent 87"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_memory_usage_bytes 4096"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_temperature_celsius 64"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_uncorrected_ecc_errors 1"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_power_watts 72.5"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_xid_errors_total{xid=\"31\"} 1"));
  EXPECT_TRUE(status_.Readiness().ok()) << "a program's own error, and memory errors of before";
  EXPECT_EQ(taken_out_, 0);
}

TEST_F(GpuCareTest, TellsGatewaysAllThatTheCardTellsAndNothingElse) {
  const auto care = Make({{.xids = {}},
                          {.utilization_percent = 0,
                           .temperature_celsius = 64,
                           .uncorrected_ecc_errors = 1,
                           .mig = true,
                           .memory_used_bytes = 4096,
                           .power_watts = 72.5,
                           .xids = {31, 43}}});
  const v1::Gpu driver_alone = status_.Stats().gpu();
  EXPECT_EQ(driver_alone.name(), "Card");
  EXPECT_EQ(driver_alone.compute_capability(), "8.9");
  EXPECT_EQ(driver_alone.driver(), "580.65.06");
  EXPECT_EQ(driver_alone.memory_total_bytes(), 8192);
  care->Tick();
  const v1::Gpu silent = status_.Stats().gpu();
  EXPECT_FALSE(silent.has_utilization_percent() || silent.has_temperature_celsius() ||
               silent.has_power_watts() || silent.has_uncorrected_ecc_errors() ||
               silent.has_memory_used_bytes() || silent.mig());
  EXPECT_EQ(silent.xid_errors() + silent.last_xid(), 0);
  care->Tick();
  const v1::Gpu gpu = status_.Stats().gpu();
  EXPECT_TRUE(gpu.has_utilization_percent());
  EXPECT_EQ(gpu.utilization_percent(), 0);
  EXPECT_EQ(gpu.temperature_celsius(), 64);
  EXPECT_EQ(gpu.power_watts(), 72.5);
  EXPECT_EQ(gpu.uncorrected_ecc_errors(), 1);
  EXPECT_EQ(gpu.memory_used_bytes(), 4096);
  EXPECT_EQ(gpu.xid_errors(), 2);
  EXPECT_EQ(gpu.last_xid(), 43);
  EXPECT_TRUE(gpu.mig());
}

TEST_F(GpuCareTest, KnowsWhatTheDriverTellsWhereTheManagementLibraryIsMissing) {
  GpuCare care(WatchedGpu{.card = card_, .driver = "", .watch = nullptr}, registry_, status_,
               [this] { ++taken_out_; });
  care.Tick();
  care.Run(std::stop_token());
  EXPECT_EQ(status_.Stats().gpu().name(), "Card");
  EXPECT_EQ(taken_out_, 0);
}

TEST_F(GpuCareTest, TakesTheWorkerOutOnceWhenTheCardIsNotFit) {
  const auto care = Make({{}, {.xids = {79}}, {}});
  care->Tick();
  EXPECT_TRUE(status_.Readiness().ok());
  care->Tick();
  care->Tick();
  EXPECT_THAT(Message(status_.Readiness()), HasSubstr("Xid 79"));
  EXPECT_EQ(taken_out_, 1);
}

TEST_F(GpuCareTest, ErrorsOfTheCardsMemoryTakeTheWorkerOutToo) {
  const auto care =
      Make({{.uncorrected_ecc_errors = 0, .xids = {}}, {.uncorrected_ecc_errors = 2, .xids = {}}});
  care->Tick();
  care->Tick();
  EXPECT_THAT(Message(status_.Readiness()), HasSubstr("had 2 errors"));
}

TEST_F(GpuCareTest, HasNothingToDoWithoutACard) {
  GpuCare care(std::nullopt, registry_, status_, [this] { ++taken_out_; });
  care.Tick();
  care.Run(std::stop_token());
  EXPECT_FALSE(status_.Stats().has_gpu());
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("phasor_gpu_utilization_ratio ")));
  EXPECT_EQ(taken_out_, 0);
}

}  // namespace
}  // namespace phasor::worker
