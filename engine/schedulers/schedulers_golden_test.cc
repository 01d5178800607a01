// Every golden schedule of tests/golden/schedulers against this folder's classes. The model's
// outputs are stored there, so the arithmetic of the schedulers is all that is compared.
#include <cmath>
#include <iostream>
#include <set>

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/golden_cases.h"

namespace phasor::engine {
namespace {

// In units in the last place of a tensor's largest value. The reference's own results differ by as
// much from one processor to another, for its roots and logarithms do.
constexpr double kUnits = 8;

double UnitsApart(const at::Tensor& ours, const at::Tensor& theirs) {
  EXPECT_EQ(ours.sizes(), theirs.sizes());
  const at::Tensor expected = theirs.to(at::kDouble);
  const double difference = (ours.to(at::kDouble) - expected).abs().max().item<double>();
  const double largest = expected.abs().max().item<double>();
  if (difference == 0) return 0;
  return difference / std::ldexp(1.0, std::ilogb(largest) - 23);
}

double UnitsApart(double ours, double theirs) {
  return UnitsApart(at::scalar_tensor(ours, at::kDouble), at::scalar_tensor(theirs, at::kDouble));
}

class SchedulerGoldenTest : public testing::TestWithParam<std::string> {};

TEST_P(SchedulerGoldenTest, GivesTheReferencesTimestepsAndLatents) {
  const GoldenSchedule golden = LoadSchedule(GetParam());
  const std::unique_ptr<Scheduler> scheduler = MakeGolden(golden);
  const at::Tensor timesteps = golden.tensors.at("timesteps");
  ASSERT_EQ(static_cast<int64_t>(scheduler->timesteps().size()), timesteps.numel());
  for (int64_t k = 0; k < timesteps.numel(); ++k) {
    const double ours = scheduler->timesteps()[static_cast<size_t>(k)];
    const double theirs = timesteps[k].item<double>();
    EXPECT_LE(UnitsApart(ours, theirs), timesteps.is_floating_point() ? kUnits : 0)
        << "timestep " << k;
  }
  EXPECT_LE(UnitsApart(scheduler->init_noise_sigma(),
                       golden.tensors.at("init_noise_sigma").item<double>()),
            kUnits);

  const std::vector<at::Tensor> latents = RunGolden(golden, *scheduler);
  const auto scaled = golden.tensors.find("scaled_inputs");
  double worst = 0;
  for (size_t k = 0; k < latents.size(); ++k) {
    const auto call = static_cast<int64_t>(k);
    worst = std::max(worst, UnitsApart(latents[k], golden.tensors.at("latents")[call]));
    if (scaled == golden.tensors.end() || k + 1 == latents.size()) continue;
    worst = std::max(worst, UnitsApart(scheduler->ScaleInput(latents[k], static_cast<int>(k)),
                                       scaled->second[call]));
  }
  std::cout << "[ measured ] " << GetParam() << " " << worst << " units in the last place\n";
  EXPECT_LE(worst, kUnits);
}

TEST_P(SchedulerGoldenTest, GoesOnFromAnySavedStateWithTheSameBytes) {
  const GoldenSchedule golden = LoadSchedule(GetParam());
  const at::Tensor outputs = golden.tensors.at("model_outputs");
  const at::Tensor drawn = at::ones_like(outputs[0]);
  const NoiseSource noise = [&](at::IntArrayRef, at::ScalarType) { return drawn; };
  const auto calls = static_cast<int>(outputs.size(0));
  at::Tensor straight = golden.tensors.at("latents")[0];
  at::Tensor hopping = straight;
  const std::unique_ptr<Scheduler> whole = MakeGolden(golden);
  SchedulerState state = whole->State();
  for (int k = 0; k < calls; ++k) {
    straight = whole->Step(outputs[k], k, straight, noise);
    const std::unique_ptr<Scheduler> fresh = MakeGolden(golden);
    for (auto& [name, tensor] : state.tensors) tensor = tensor.clone();
    const Status restored = fresh->SetState(state, hopping.sizes());
    ASSERT_TRUE(restored.ok()) << "before call " << k << ": " << restored;
    hopping = fresh->Step(outputs[k], k, hopping, noise);
    state = fresh->State();
    ASSERT_TRUE(straight.equal(hopping)) << "after call " << k;
  }
}

TEST_P(SchedulerGoldenTest, HasTheReferencesNoiseTable) {
  const GoldenSchedule golden = LoadSchedule(GetParam());
  SchedulerKeys keys(golden.config);
  const bool has_zero_snr = golden.config["_class_name"] != "PNDMScheduler";
  const bool clamps = golden.config["_class_name"] != "DDIMScheduler";
  const BetaConfig config = ReadBetaConfig(keys, has_zero_snr);
  EXPECT_LE(UnitsApart(AlphasCumprod(config, clamps), golden.tensors.at("alphas_cumprod")), kUnits);
}

INSTANTIATE_TEST_SUITE_P(Golden, SchedulerGoldenTest, testing::ValuesIn(ScheduleNames()),
                         [](const auto& param) { return param.param; });

TEST(SchedulerGoldenCases, CoverEveryClass) {
  std::set<std::string> classes;
  for (const std::string& name : ScheduleNames()) {
    classes.insert(LoadSchedule(name).config["_class_name"].get<std::string>());
  }
  EXPECT_EQ(classes.size(), 5u);
}

}  // namespace
}  // namespace phasor::engine
