// Ancestral sampling with Euler steps, as diffusers 0.42.1 scheduling_euler_ancestral_discrete.py
// (after k-diffusion's sample_euler_ancestral). Noise is drawn at every call, also the last, where
// its factor is 0: the generator advances as in the reference.
#include <utility>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler_base.h"
#include "engine/schedulers/sigma_step.h"
#include "engine/schedulers/sigmas.h"
#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

struct AncestralConfig {
  BetaConfig betas;
  SpacingConfig spacing;
  std::string prediction_type = "epsilon";
};

class EulerAncestralScheduler final : public SchedulerBase {
 public:
  EulerAncestralScheduler(AncestralConfig config, nlohmann::json effective)
      : SchedulerBase("EulerAncestralDiscreteScheduler", std::move(effective)),
        config_(std::move(config)),
        alphas_cumprod_(AlphasCumprod(config_.betas, /*clamp_last=*/true)),
        table_(alphas_cumprod_) {}

  Status SetTimesteps(int steps) override {
    RETURN_IF_ERROR(CheckSteps(steps, config_.betas.train_steps));
    timesteps_ = FractionalTimesteps(config_.spacing, steps);
    std::vector<double> sigmas;
    for (double t : timesteps_) sigmas.push_back(table_.Interpolate(t));
    sigmas_ = FinishedSigmas(sigmas, alphas_cumprod_, /*final_zero=*/true);
    return OkStatus();
  }

  double init_noise_sigma() const override {
    return InitialSigma(sigmas_, config_.spacing.spacing);
  }

  at::Tensor ScaleInput(const at::Tensor& sample, int k) const override {
    CheckCall(k);
    return ScaleBySigma(sample, sigmas_[k]);
  }

  at::Tensor Step(const at::Tensor& model_output, int k, const at::Tensor& sample,
                  const NoiseSource& noise) override {
    CheckCall(k);
    const at::Tensor from = sigmas_[k];
    const at::Tensor to = sigmas_[k + 1];
    const at::Tensor x = sample.to(at::kFloat);
    const at::Tensor clean = CleanSample(config_.prediction_type, model_output, x, from);
    const at::Tensor up = rounded::Sqrt(to.pow(2) * (from.pow(2) - to.pow(2)) / from.pow(2));
    const at::Tensor down = rounded::Sqrt(to.pow(2) - up.pow(2));
    const at::Tensor derivative = (x - clean) / from;
    const at::Tensor moved = x + derivative * (down - from);
    const at::Tensor drawn = noise(model_output.sizes(), model_output.scalar_type());
    return (moved + drawn * up).to(model_output.scalar_type());
  }

 private:
  const AncestralConfig config_;
  const at::Tensor alphas_cumprod_;
  const SigmaTable table_;
  at::Tensor sigmas_;
};

}  // namespace

StatusOr<std::unique_ptr<Scheduler>> MakeEulerAncestral(const nlohmann::json& json, double) {
  SchedulerKeys keys(json);
  AncestralConfig config;
  config.betas = ReadBetaConfig(keys, /*has_zero_snr_key=*/true);
  config.spacing = ReadSpacingConfig(keys, config.betas.train_steps, "linspace");
  config.prediction_type = keys.Choice("prediction_type", "epsilon", {"epsilon", "v_prediction"});
  RETURN_IF_ERROR(keys.status());
  return std::unique_ptr<Scheduler>(
      std::make_unique<EulerAncestralScheduler>(std::move(config), keys.effective()));
}

}  // namespace phasor::engine
