// Euler's method in sigma (Karras et al. 2022, arXiv:2206.00364, algorithm 2 without churn), as
// diffusers 0.42.1 scheduling_euler_discrete.py.
#include <cmath>
#include <utility>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler_base.h"
#include "engine/schedulers/sigma_step.h"
#include "engine/schedulers/sigmas.h"
#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

struct EulerConfig {
  BetaConfig betas;
  SpacingConfig spacing;
  SigmaConfig sigmas;
  std::string prediction_type = "epsilon";
  bool log_linear = false;
  bool continuous = false;  // timesteps are ln(sigma) / 4
};

class EulerScheduler final : public SchedulerBase {
 public:
  EulerScheduler(EulerConfig config, nlohmann::json effective)
      : SchedulerBase("EulerDiscreteScheduler", std::move(effective)),
        config_(std::move(config)),
        alphas_cumprod_(AlphasCumprod(config_.betas, /*clamp_last=*/true)),
        table_(alphas_cumprod_) {}

  Status SetTimesteps(int steps) override {
    RETURN_IF_ERROR(CheckSteps(steps, config_.betas.train_steps));
    timesteps_ = FractionalTimesteps(config_.spacing, steps);
    std::vector<double> sigmas = config_.log_linear ? LogLinear(steps) : Interpolated();
    if (config_.sigmas.respacing != Respacing::kNone) {
      sigmas = Respaced(config_.sigmas, sigmas.front(), sigmas.back(), steps);
      for (size_t i = 0; i < sigmas.size(); ++i) {
        timesteps_[i] = static_cast<float>(table_.Timestep(sigmas[i]));
      }
    }
    sigmas_ = FinishedSigmas(sigmas, alphas_cumprod_, config_.sigmas.final_zero);
    if (config_.continuous) {
      timesteps_.clear();
      for (int64_t i = 0; i + 1 < sigmas_.numel(); ++i) {
        timesteps_.push_back((0.25 * rounded::Log(sigmas_[i])).item<float>());
      }
    }
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
                  const NoiseSource& /*noise*/) override {
    CheckCall(k);
    const at::Tensor sigma = sigmas_[k];
    const at::Tensor x = sample.to(at::kFloat);
    const at::Tensor clean = CleanSample(config_.prediction_type, model_output, x, sigma);
    const at::Tensor derivative = (x - clean) / sigma;
    return (x + derivative * (sigmas_[k + 1] - sigma)).to(model_output.scalar_type());
  }

 private:
  std::vector<double> Interpolated() const {
    std::vector<double> sigmas;
    for (double t : timesteps_) sigmas.push_back(table_.Interpolate(t));
    return sigmas;
  }

  // One more sigma than steps, so that the schedule ends at the smallest one instead of 0.
  std::vector<double> LogLinear(int steps) const {
    const at::Tensor sigmas = rounded::Exp(
        rounded::Linspace(table_.log_sigmas().back(), table_.log_sigmas().front(), steps + 1));
    const float* data = sigmas.const_data_ptr<float>();
    return {data, data + sigmas.numel()};
  }

  const EulerConfig config_;
  const at::Tensor alphas_cumprod_;
  const SigmaTable table_;
  at::Tensor sigmas_;
};

}  // namespace

StatusOr<std::unique_ptr<Scheduler>> MakeEuler(const nlohmann::json& json, double) {
  SchedulerKeys keys(json);
  EulerConfig config;
  config.betas = ReadBetaConfig(keys, /*has_zero_snr_key=*/true);
  config.spacing = ReadSpacingConfig(keys, config.betas.train_steps, "linspace");
  config.sigmas = ReadSigmaConfig(keys);
  config.prediction_type = keys.Choice("prediction_type", "epsilon",
                                       {"epsilon", "sample", "original_sample", "v_prediction"});
  config.log_linear =
      keys.Choice("interpolation_type", "linear", {"linear", "log_linear"}) == "log_linear";
  const bool continuous =
      keys.Choice("timestep_type", "discrete", {"discrete", "continuous"}) == "continuous";
  config.continuous = continuous && config.prediction_type == "v_prediction";
  RETURN_IF_ERROR(keys.status());
  return std::unique_ptr<Scheduler>(
      std::make_unique<EulerScheduler>(std::move(config), keys.effective()));
}

}  // namespace phasor::engine
