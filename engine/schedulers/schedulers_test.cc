// The classes against diffusers' own test sums (a model that is a formula), their schedules, and
// what they refuse.
#include <string>
#include <vector>

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include "engine/schedulers/scheduler.h"

namespace phasor::engine {
namespace {

using nlohmann::json;

NoiseSource Seeded(uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return [generator](at::IntArrayRef shape, at::ScalarType dtype) {
    return at::randn(shape, generator, at::TensorOptions().dtype(dtype));
  };
}

json Linear(const std::string& name, int train_steps, const json& extra = json::object()) {
  json config = {{"_class_name", name},
                 {"num_train_timesteps", train_steps},
                 {"beta_start", 0.0001},
                 {"beta_end", 0.02},
                 {"beta_schedule", "linear"}};
  config.update(extra);
  return config;
}

json StableDiffusion(const std::string& name, const json& extra = json::object()) {
  json config = {{"_class_name", name},
                 {"beta_start", 0.00085},
                 {"beta_end", 0.012},
                 {"beta_schedule", "scaled_linear"}};
  config.update(extra);
  return config;
}

StatusOr<std::unique_ptr<Scheduler>> Plain(const json& config, const std::string& name = "") {
  SchedulerOptions options;
  options.name = name;
  options.pipeline_fixups = false;
  return MakeScheduler(config, options);
}

// Ten steps of model(x, t) = x * t / (t + 1) from (0 ... 767) / 768; the sum of magnitudes.
double FormulaSum(const json& config, bool scales_input) {
  std::unique_ptr<Scheduler> scheduler = Plain(config).value();
  EXPECT_TRUE(scheduler->SetTimesteps(10).ok());
  const NoiseSource noise = Seeded(0);
  at::Tensor x = (at::arange(768, at::kFloat) / 768).reshape({3, 8, 8, 4}).permute({3, 0, 1, 2});
  x = x * scheduler->init_noise_sigma();
  for (size_t k = 0; k < scheduler->timesteps().size(); ++k) {
    const double t = scheduler->timesteps()[k];
    const at::Tensor input = scheduler->ScaleInput(x, static_cast<int>(k));
    const at::Tensor output = input * t / (t + 1);
    // diffusers' tests feed the scaled input to step as well.
    x = scheduler->Step(output, static_cast<int>(k), scales_input ? input : x, noise);
  }
  return x.abs().sum().item<double>();
}

TEST(SchedulersTest, GiveTheSumsOfTheReferencesOwnTests) {
  const json solver = {{"final_sigmas_type", "sigma_min"}, {"lower_order_final", false}};
  const auto with = [](json base, const json& more) {
    base.update(more);
    return base;
  };
  const std::string dpm = "DPMSolverMultistepScheduler";
  const std::string euler = "EulerDiscreteScheduler";
  const std::string ancestral = "EulerAncestralDiscreteScheduler";
  const json v = {{"prediction_type", "v_prediction"}};
  struct Case {
    json config;
    bool scales;
    double sum;
  };
  const std::vector<Case> cases = {
      {Linear("DDIMScheduler", 1000), false, 172.0067},
      {Linear("DDIMScheduler", 1000, v), false, 52.5302},
      {Linear("DDIMScheduler", 1000, {{"beta_start", 0.01}}), false, 149.8295},
      {Linear("DDIMScheduler", 1000, {{"beta_start", 0.01}, {"set_alpha_to_one", false}}), false,
       149.0784},
      {Linear("PNDMScheduler", 1000), false, 198.1318},
      {Linear("PNDMScheduler", 1000, {{"skip_prk_steps", true}}), false, 197.7155},
      {Linear("PNDMScheduler", 1000, v), false, 67.3986},
      {Linear("PNDMScheduler", 1000, {{"beta_start", 0.01}, {"set_alpha_to_one", true}}), false,
       230.0336},
      {Linear("PNDMScheduler", 1000, {{"beta_start", 0.01}}), false, 186.9412},
      {Linear(euler, 1100), true, 10.0807},
      {Linear(euler, 1100, {{"use_karras_sigmas", true}}), true, 124.5226},
      {Linear(ancestral, 1100), true, 152.3193},
      {Linear(ancestral, 1100, v), true, 108.4439},
      {Linear(dpm, 1000, solver), false, 253.5514},
      {Linear(dpm, 1000, with(solver, {{"solver_order", 3}})), false, 176.9651},
      {Linear(dpm, 1000, with(solver, {{"solver_type", "heun"}})), false, 292.1283},
      {Linear(dpm, 1000, with(solver, {{"algorithm_type", "sde-dpmsolver++"}})), false, 525.9483},
  };
  for (const Case& c : cases) {
    EXPECT_NEAR(FormulaSum(c.config, c.scales), c.sum, c.sum * 1e-5 + 1e-4) << c.config.dump();
  }
}

TEST(SchedulersTest, VisitTheReferencesTimesteps) {
  const auto euler = [](const json& extra) {
    return StableDiffusion("EulerDiscreteScheduler", extra);
  };
  const auto dpm = [](const json& extra) {
    return StableDiffusion("DPMSolverMultistepScheduler", extra);
  };
  const json leading = {{"timestep_spacing", "leading"}, {"steps_offset", 1}};
  struct Case {
    json config;
    std::vector<double> timesteps;
  };
  const std::vector<Case> cases = {
      {euler(json::object()), {999, 749.25, 499.5, 249.75, 0}},
      {euler(leading), {801, 601, 401, 201, 1}},
      {euler({{"timestep_spacing", "trailing"}}), {999, 799, 599, 399, 199}},
      {euler({{"use_karras_sigmas", true}}), {999, 785.954, 427.490, 58.892, 0}},
      {euler({{"use_exponential_sigmas", true}}), {999, 680.667, 233.210, 20.002, 0}},
      {euler({{"use_beta_sigmas", true}}), {999, 966.495, 874.662, 634.552, 0}},
      {dpm(json::object()), {999, 799, 599, 400, 200}},
      {dpm(leading), {831, 665, 499, 333, 167}},
      {dpm({{"use_karras_sigmas", true}}), {999, 786, 427, 59, 0}},
      {dpm({{"use_exponential_sigmas", true}}), {998, 680, 233, 20, 0}},
      {dpm({{"use_beta_sigmas", true}}), {998, 966, 874, 634, 0}},
      {dpm({{"use_lu_lambdas", true}}), {999, 681, 233, 20, 0}},
      {StableDiffusion("PNDMScheduler", {{"skip_prk_steps", true}, {"steps_offset", 1}}),
       {801, 601, 601, 401, 201, 1}},
  };
  for (const Case& c : cases) {
    std::unique_ptr<Scheduler> scheduler = Plain(c.config).value();
    ASSERT_TRUE(scheduler->SetTimesteps(5).ok());
    ASSERT_EQ(scheduler->timesteps().size(), c.timesteps.size());
    for (size_t k = 0; k < c.timesteps.size(); ++k) {
      EXPECT_NEAR(scheduler->timesteps()[k], c.timesteps[k], 1e-3) << c.config.dump() << " " << k;
    }
  }
}

TEST(MakeSchedulerTest, NamesTheKeyThatItRefuses) {
  struct Case {
    json extra;
    std::string part;
  };
  const std::vector<Case> cases = {
      {{{"num_train_timesteps", 0}}, "num_train_timesteps"},
      {{{"num_train_timesteps", 1e12}}, "num_train_timesteps"},
      {{{"num_train_timesteps", "many"}}, "num_train_timesteps"},
      {{{"beta_start", -1}}, "beta_start"},
      {{{"beta_end", 2.0}}, "beta_end"},
      {{{"beta_schedule", "sigmoid"}}, "beta_schedule"},
      {{{"trained_betas", {0.1, 0.2}}}, "trained_betas"},
      {{{"trained_betas", std::vector<double>(1000, 1.5)}}, "trained_betas"},
      {{{"timestep_spacing", "odd"}}, "timestep_spacing"},
      {{{"steps_offset", -1}}, "steps_offset"},
      {{{"prediction_type", "flow_prediction"}}, "prediction_type"},
      {{{"use_karras_sigmas", true}, {"use_beta_sigmas", true}}, "use_beta_sigmas"},
      {{{"use_karras_sigmas", "yes"}}, "use_karras_sigmas"},
      {{{"use_flow_sigmas", true}}, "use_flow_sigmas"},
      {{{"solver_order", 4}}, "solver_order"},
      {{{"algorithm_type", "dpmsolver"}}, "final_sigmas_type"},
      {{{"variance_type", "learned"}}, "variance_type"},
      {{{"lambda_min_clipped", "low"}}, "lambda_min_clipped"},
      {{{"sigma_min", 5}, {"sigma_max", 1}}, "sigma_min"},
  };
  for (const Case& c : cases) {
    const Status status = Plain(StableDiffusion("DPMSolverMultistepScheduler", c.extra)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.extra.dump();
    EXPECT_NE(Message(status).find(c.part), std::string::npos) << status;
  }
  EXPECT_FALSE(Plain(json::array()).ok());
  EXPECT_FALSE(Plain(StableDiffusion("UnknownScheduler")).ok());
  EXPECT_FALSE(Plain(StableDiffusion("DDIMScheduler"), "no_such").ok());
}

TEST(MakeSchedulerTest, RefusesStepsThatTheScheduleCannotHold) {
  struct Case {
    json config;
    int steps;
  };
  const std::vector<Case> cases = {
      {StableDiffusion("DDIMScheduler"), 0},
      {StableDiffusion("DDIMScheduler"), 1001},
      {StableDiffusion("DDIMScheduler", {{"steps_offset", 1}}), 1000},
      {StableDiffusion("PNDMScheduler"), 3},
      {StableDiffusion("DPMSolverMultistepScheduler"), 1000},
      {StableDiffusion("DPMSolverMultistepScheduler", {{"use_karras_sigmas", true},
                                                       {"final_sigmas_type", "sigma_min"},
                                                       {"solver_type", "heun"}}),
       20},
      {StableDiffusion("DDIMScheduler",
                       {{"rescale_betas_zero_snr", true}, {"timestep_spacing", "trailing"}}),
       5},
  };
  for (const Case& c : cases) {
    const Status status = Plain(c.config).value()->SetTimesteps(c.steps);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << c.config.dump() << " " << c.steps;
  }
}

TEST(MakeSchedulerTest, HandsOnlyExplicitKeysToAnotherClass) {
  const json file = StableDiffusion(
      "PNDMScheduler", {{"steps_offset", 0}, {"_use_default_values", {"steps_offset"}}});
  SchedulerOptions options;
  options.name = "dpmpp_2m_karras";
  const json effective = MakeScheduler(file, options).value()->EffectiveConfig();
  EXPECT_EQ(effective["_class_name"], "DPMSolverMultistepScheduler");
  EXPECT_EQ(effective["timestep_spacing"], "linspace") << "PNDM's own default stays behind";
  EXPECT_EQ(effective["steps_offset"], 0);
  EXPECT_EQ(effective["use_karras_sigmas"], true);
  EXPECT_EQ(effective["beta_start"], 0.00085);
}

TEST(MakeSchedulerTest, FixesTheFilesOwnClassAsPipelinesDo) {
  const json effective =
      MakeScheduler(StableDiffusion("DDIMScheduler"), {}).value()->EffectiveConfig();
  EXPECT_EQ(effective["steps_offset"], 1);
  EXPECT_EQ(effective["clip_sample"], false);
}

TEST(ParseSchedulerConfigTest, ReadsPythonsInfinity) {
  const json config =
      ParseSchedulerConfig(R"({"lambda_min_clipped": -Infinity, "note": "a \"-Infinity\""})")
          .value();
  EXPECT_EQ(config["lambda_min_clipped"], "-Infinity");
  EXPECT_EQ(config["note"], "a \"-Infinity\"");
  EXPECT_FALSE(ParseSchedulerConfig("[1]").ok());
  EXPECT_FALSE(ParseSchedulerConfig("{").ok());
}

TEST(SchedulerStateTest, RefusesForeignEntries) {
  std::unique_ptr<Scheduler> pndm =
      Plain(StableDiffusion("PNDMScheduler", {{"skip_prk_steps", true}})).value();
  std::unique_ptr<Scheduler> dpm = Plain(StableDiffusion("DPMSolverMultistepScheduler")).value();
  std::unique_ptr<Scheduler> ddim = Plain(StableDiffusion("DDIMScheduler")).value();
  ASSERT_TRUE(pndm->SetTimesteps(5).ok() && dpm->SetTimesteps(5).ok());
  const std::vector<int64_t> shape = {1, 4, 2, 2};
  const at::Tensor good = at::zeros(shape);
  const at::Tensor bad = at::zeros({1, 4, 2, 3});
  EXPECT_TRUE(dpm->SetState({{{"m0", good}}, {}}, shape).ok());
  EXPECT_FALSE(dpm->SetState({{{"m0", bad}}, {}}, shape).ok());
  EXPECT_FALSE(dpm->SetState({{{"m1", good}}, {}}, shape).ok());
  EXPECT_FALSE(dpm->SetState({{{"m0", good}, {"m1", good}}, {}}, shape).ok());
  EXPECT_FALSE(ddim->SetState({{{"m0", good}}, {}}, shape).ok());
  EXPECT_TRUE(pndm->SetState({{{"ets0", good}, {"sample", good}}, {{"counter", 1}}}, shape).ok());
  EXPECT_FALSE(pndm->SetState({{{"ets0", good}}, {{"counter", 1}}}, shape).ok());
  EXPECT_FALSE(pndm->SetState({{}, {{"counter", 99}}}, shape).ok());
  EXPECT_FALSE(pndm->SetState({{}, {}}, shape).ok());
}

TEST(SchedulerStepTest, ThrowsOutsideTheSchedule) {
  std::unique_ptr<Scheduler> ddim = Plain(StableDiffusion("DDIMScheduler")).value();
  ASSERT_TRUE(ddim->SetTimesteps(2).ok());
  const at::Tensor x = at::zeros({1, 4, 2, 2});
  EXPECT_THROW(ddim->Step(x, 2, x, Seeded(0)), c10::Error);
  EXPECT_THROW(ddim->Step(x, -1, x, Seeded(0)), c10::Error);
}

}  // namespace
}  // namespace phasor::engine
