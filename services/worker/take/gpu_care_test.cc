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
    return std::make_unique<GpuCare>(std::make_unique<ScriptedWatch>(std::move(looks)), registry_,
                                     status_, [this] { ++taken_out_; });
  }

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
                           .xids = {31}}});
  care->Tick();
  const std::string text = registry_.Text();
  EXPECT_THAT(text, HasSubstr("phasor_gpu_utilization_ratio 0.87"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_utilization_percent 87"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_memory_usage_bytes 4096"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_temperature_celsius 64"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_uncorrected_ecc_errors 1"));
  EXPECT_THAT(text, HasSubstr("phasor_gpu_xid_errors_total{xid=\"31\"} 1"));
  EXPECT_TRUE(status_.Readiness().ok()) << "a program's own error, and memory errors of before";
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
  GpuCare care(nullptr, registry_, status_, [this] { ++taken_out_; });
  care.Tick();
  care.Run(std::stop_token());
  EXPECT_THAT(registry_.Text(), Not(HasSubstr("phasor_gpu_utilization_ratio ")));
  EXPECT_EQ(taken_out_, 0);
}

}  // namespace
}  // namespace phasor::worker
