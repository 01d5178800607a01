// DDIM (Song et al. 2021, arXiv:2010.02502), as diffusers 0.42.1 scheduling_ddim.py.
#include <utility>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler_base.h"
#include "engine/schedulers/thresholding.h"
#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

struct DdimConfig {
  BetaConfig betas;
  SpacingConfig spacing;
  ThresholdConfig threshold;
  std::string prediction_type = "epsilon";
  bool clip_sample = true;
  double clip_range = 1.0;
  bool set_alpha_to_one = true;
  double eta = 0;
};

class DdimScheduler final : public SchedulerBase {
 public:
  DdimScheduler(DdimConfig config, nlohmann::json effective)
      : SchedulerBase("DDIMScheduler", std::move(effective)),
        config_(std::move(config)),
        alphas_cumprod_(AlphasCumprod(config_.betas, /*clamp_last=*/false)),
        final_alpha_(config_.set_alpha_to_one ? at::scalar_tensor(1.0, at::kFloat)
                                              : alphas_cumprod_[0]) {}

  Status SetTimesteps(int steps) override {
    RETURN_IF_ERROR(CheckSteps(steps, config_.betas.train_steps));
    std::vector<double> timesteps = RoundedTimesteps(config_.spacing, steps);
    RETURN_IF_ERROR(CheckTop(static_cast<int64_t>(timesteps.front())));
    timesteps_ = std::move(timesteps);
    stride_ = config_.betas.train_steps / steps;
    return OkStatus();
  }

  at::Tensor Step(const at::Tensor& model_output, int k, const at::Tensor& sample,
                  const NoiseSource& noise) override {
    CheckCall(k);
    const int64_t t = Timestep(k);
    const int64_t p = t - stride_;
    const at::Tensor alpha = alphas_cumprod_[t];
    const at::Tensor alpha_prev = p >= 0 ? alphas_cumprod_[p] : final_alpha_;
    const at::Tensor beta = 1 - alpha;
    auto [clean, epsilon] = Predict(model_output, sample, alpha, beta);
    if (config_.threshold.enabled) {
      clean = Threshold(config_.threshold, clean);
    } else if (config_.clip_sample) {
      clean = clean.clamp(-config_.clip_range, config_.clip_range);
    }
    const at::Tensor variance = ((1 - alpha_prev) / beta) * (1 - alpha / alpha_prev);
    const at::Tensor deviation = config_.eta * rounded::Sqrt(variance);
    const at::Tensor direction = rounded::Sqrt(1 - alpha_prev - deviation.pow(2)) * epsilon;
    const at::Tensor previous = rounded::Sqrt(alpha_prev) * clean + direction;
    if (config_.eta <= 0) return previous;
    return previous + deviation * noise(model_output.sizes(), model_output.scalar_type());
  }

 private:
  // The highest timestep must be inside the table, and epsilon has no answer at zero SNR.
  Status CheckTop(int64_t t) const {
    if (t >= config_.betas.train_steps) {
      return InvalidArgument("steps: with steps_offset " + std::to_string(config_.spacing.offset) +
                             " the first timestep would be " + std::to_string(t) +
                             ", beyond num_train_timesteps; ask for fewer steps");
    }
    if (config_.prediction_type == "epsilon" && alphas_cumprod_[t].item<float>() == 0) {
      return InvalidArgument(
          "scheduler config: rescale_betas_zero_snr can't be used with prediction_type epsilon "
          "when the schedule holds the last timestep");
    }
    return OkStatus();
  }

  // The clean sample and the noise that the model's output stands for.
  std::pair<at::Tensor, at::Tensor> Predict(const at::Tensor& output, const at::Tensor& sample,
                                            const at::Tensor& alpha, const at::Tensor& beta) const {
    if (config_.prediction_type == "epsilon") {
      return {(sample - rounded::Sqrt(beta) * output) / rounded::Sqrt(alpha), output};
    }
    if (config_.prediction_type == "sample") {
      return {output, (sample - rounded::Sqrt(alpha) * output) / rounded::Sqrt(beta)};
    }
    return {rounded::Sqrt(alpha) * sample - rounded::Sqrt(beta) * output,
            rounded::Sqrt(alpha) * output + rounded::Sqrt(beta) * sample};
  }

  const DdimConfig config_;
  const at::Tensor alphas_cumprod_;
  const at::Tensor final_alpha_;
  int64_t stride_ = 1;  // num_train_timesteps / steps, whatever the spacing
};

}  // namespace

StatusOr<std::unique_ptr<Scheduler>> MakeDdim(const nlohmann::json& json, double eta) {
  SchedulerKeys keys(json);
  DdimConfig config;
  config.betas = ReadBetaConfig(keys, /*has_zero_snr_key=*/true);
  config.spacing = ReadSpacingConfig(keys, config.betas.train_steps, "leading");
  config.threshold = ReadThresholdConfig(keys);
  config.prediction_type =
      keys.Choice("prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"});
  config.clip_sample = keys.Flag("clip_sample", true);
  config.clip_range = keys.Number("clip_sample_range", 1.0, {0.0, 1e6});
  config.set_alpha_to_one = keys.Flag("set_alpha_to_one", true);
  config.eta = eta;
  RETURN_IF_ERROR(keys.status());
  nlohmann::json effective = keys.effective();
  effective["eta"] = eta;
  return std::unique_ptr<Scheduler>(
      std::make_unique<DdimScheduler>(std::move(config), std::move(effective)));
}

}  // namespace phasor::engine
