// DPM-Solver++ multistep and its relatives (Lu et al. 2022, arXiv:2211.01095 and 2206.00927), as
// diffusers 0.42.1 scheduling_dpmsolver_multistep.py. Coefficients are 0-dim fp32 tensors in that
// file's operand order: exp(h) - 1 is not expm1(h), and (1 / r) * d is not d / r.
#include <cmath>
#include <limits>
#include <utility>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler_base.h"
#include "engine/schedulers/sigmas.h"
#include "engine/schedulers/thresholding.h"
#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

constexpr size_t kFewSteps = 15;  // lower_order_final acts below this

struct SolverConfig {
  BetaConfig betas;
  SpacingConfig spacing;
  SigmaConfig sigmas;
  ThresholdConfig threshold;
  std::string prediction_type = "epsilon";
  std::string algorithm = "dpmsolver++";
  int64_t order = 2;
  bool heun = false;
  bool lower_order_final = true;
  bool euler_at_final = false;
  bool lu_lambdas = false;
  bool learned_variance = false;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();

  bool plus_plus() const { return algorithm.ends_with("++"); }
  bool stochastic() const { return algorithm.starts_with("sde-"); }
};

// One noise level: alpha, sigma (so that x = alpha x0 + sigma eps) and their log ratio.
struct Level {
  at::Tensor alpha, sigma, lambda;

  explicit Level(const at::Tensor& s)
      : alpha(1 / rounded::Sqrt(s.pow(2) + 1)),
        sigma(s * alpha),
        lambda(rounded::Log(alpha) - rounded::Log(sigma)) {}
};

// Factors of one update x' = x*sample + m0*D0 + d1*D1 + d2*D2 + z*noise, signs included (a - b and
// a + (-b) give the same bits). Undefined ones have no term.
struct Factors {
  at::Tensor x, m0, d1, d2, z;
};

// From level s to level t. With `order` 1 the factors of D1 and D2 stay undefined.
Factors UpdateFactors(const SolverConfig& config, const Level& s, const Level& t, int order) {
  const at::Tensor h = t.lambda - s.lambda;
  const bool second = order == 2 && !config.heun;
  Factors f;
  if (config.algorithm == "dpmsolver++") {
    const at::Tensor e = rounded::Exp(-h) - 1.0;
    f.x = t.sigma / s.sigma;
    f.m0 = -(t.alpha * e);
    if (order > 1) f.d1 = second ? -(0.5 * (t.alpha * e)) : t.alpha * (e / h + 1.0);
    if (order > 2) f.d2 = -(t.alpha * ((e + h) / h.pow(2) - 0.5));
  } else if (config.algorithm == "sde-dpmsolver++") {
    const at::Tensor g = 1 - rounded::Exp(-2.0 * h);
    f.x = t.sigma / s.sigma * rounded::Exp(-h);
    f.m0 = t.alpha * g;
    if (order > 1) f.d1 = second ? 0.5 * (t.alpha * g) : t.alpha * (g / (-2.0 * h) + 1.0);
    if (order > 2) f.d2 = t.alpha * ((g - 2.0 * h) / (2.0 * h).pow(2) - 0.5);
    f.z = t.sigma * rounded::Sqrt(g);
  } else {
    const at::Tensor p = rounded::Exp(h) - 1.0;
    const double twice = config.stochastic() ? 2.0 : 1.0;
    f.x = t.alpha / s.alpha;
    f.m0 = -(twice * (t.sigma * p));
    if (order > 1) {
      f.d1 = second ? -(twice * 0.5 * (t.sigma * p)) : -(twice * (t.sigma * (p / h - 1.0)));
    }
    if (order > 2) f.d2 = -(t.sigma * ((p - h) / h.pow(2) - 0.5));
    if (config.stochastic()) f.z = t.sigma * rounded::Sqrt(rounded::Exp(2 * h) - 1.0);
  }
  return f;
}

class DpmSolverMultistep final : public SchedulerBase {
 public:
  DpmSolverMultistep(SolverConfig config, nlohmann::json effective)
      : SchedulerBase("DPMSolverMultistepScheduler", std::move(effective)),
        config_(std::move(config)),
        alphas_cumprod_(AlphasCumprod(config_.betas, /*clamp_last=*/true)),
        table_(alphas_cumprod_) {}

  Status SetTimesteps(int steps) override {
    RETURN_IF_ERROR(CheckSteps(steps, config_.betas.train_steps));
    std::vector<double> sigmas;
    std::vector<double> timesteps;
    if (config_.sigmas.respacing != Respacing::kNone || config_.lu_lambdas) {
      sigmas = RespacedSigmas(steps);
      for (double sigma : sigmas) timesteps.push_back(WholeTimestep(sigma));
    } else {
      timesteps = SolverTimesteps(config_.spacing, steps, LastTimestep());
      for (double t : timesteps) sigmas.push_back(table_.Interpolate(t));
    }
    const at::Tensor finished = FinishedSigmas(sigmas, alphas_cumprod_, config_.sigmas.final_zero);
    RETURN_IF_ERROR(CheckDescent(finished));
    timesteps_ = std::move(timesteps);
    sigmas_ = finished;
    history_.clear();
    return OkStatus();
  }

  at::Tensor Step(const at::Tensor& model_output, int k, const at::Tensor& sample,
                  const NoiseSource& noise) override {
    CheckCall(k);
    TORCH_CHECK(static_cast<size_t>(k) >= history_.size(), "calls must be in order");
    const Level here(sigmas_[k]);
    const Level next(sigmas_[k + 1]);
    const at::Tensor m0 = Convert(model_output, sample, here);
    const int order = OrderAt(k);
    const Factors factors = UpdateFactors(config_, here, next, order);
    at::Tensor result = factors.x * sample.to(at::kFloat) + factors.m0 * m0;
    if (order == 2) {
      const at::Tensor r0 = (here.lambda - Lambda(k - 1)) / (next.lambda - here.lambda);
      result = result + factors.d1 * (1.0 / r0 * (m0 - history_[0]));
    } else if (order == 3) {
      result = AddThirdOrder(result, factors, k, here, next, m0);
    }
    if (factors.z.defined()) result = result + factors.z * noise(m0.sizes(), at::kFloat);
    result = result.to(m0.scalar_type());
    Remember(m0);
    return result;
  }

  SchedulerState State() const override {
    SchedulerState state;
    for (size_t i = 0; i < history_.size(); ++i) {
      state.tensors["m" + std::to_string(i)] = history_[i];
    }
    return state;
  }

  Status SetState(const SchedulerState& state, at::IntArrayRef sample_shape) override {
    if (state.tensors.size() >= static_cast<size_t>(config_.order)) {
      return InvalidArgument("scheduler state: more outputs than solver_order uses");
    }
    std::vector<std::string> names;
    for (size_t i = 0; i < state.tensors.size(); ++i) names.push_back("m" + std::to_string(i));
    ASSIGN_OR_RETURN(history_, ReadState(state, names, {}, sample_shape));
    return OkStatus();
  }

 private:
  std::vector<double> RespacedSigmas(int steps) const {
    if (config_.lu_lambdas && config_.sigmas.respacing != Respacing::kKarras) {
      return LuSigmas(table_, steps);
    }
    return Respaced(config_.sigmas, table_.sigmas().back(), table_.sigmas().front(), steps);
  }

  double WholeTimestep(double sigma) const {
    const double t = table_.Timestep(sigma);
    const bool rounds = (config_.sigmas.respacing == Respacing::kKarras || config_.lu_lambdas) &&
                        config_.betas.schedule != "squaredcos_cap_v2";
    return rounds ? std::nearbyint(t) : std::trunc(t);
  }

  // num_train_timesteps without those whose log ratio is below lambda_min_clipped.
  int64_t LastTimestep() const {
    const at::Tensor lambda = rounded::Log(rounded::Sqrt(alphas_cumprod_)) -
                              rounded::Log(rounded::Sqrt(1 - alphas_cumprod_));
    return config_.betas.train_steps - (lambda < config_.lambda_min_clipped).sum().item<int64_t>();
  }

  // Second and third order divide by the difference of neighbouring levels.
  Status CheckDescent(const at::Tensor& sigmas) const {
    const float* data = sigmas.const_data_ptr<float>();
    const int64_t count = sigmas.numel() - 1;
    if (count < 1)
      return InvalidArgument("scheduler config: lambda_min_clipped leaves no timestep");
    for (int64_t i = 0; i < count; ++i) {
      const bool last = i == count - 1;
      const bool harmless =
          config_.order == 1 || (last && (FirstOrderAtEnd(static_cast<size_t>(count)) ||
                                          (config_.order == 2 && !config_.heun)));
      if (!(data[i] > data[i + 1]) && !harmless) {
        return InvalidArgument(
            "steps: this scheduler config gives equal noise levels at step " + std::to_string(i) +
            " of " + std::to_string(count) + (last ? " (final_sigmas_type sigma_min)" : "") +
            ", which a solver of second or third order can't use; ask for fewer steps");
      }
    }
    return OkStatus();
  }

  bool FirstOrderAtEnd(size_t count) const {
    return config_.euler_at_final || (config_.lower_order_final && count < kFewSteps) ||
           config_.sigmas.final_zero;
  }

  int OrderAt(int k) const {
    const size_t count = timesteps_.size();
    const auto call = static_cast<size_t>(k);
    if (config_.order == 1 || history_.empty()) return 1;
    if (call + 1 == count && FirstOrderAtEnd(count)) return 1;
    const bool lower_second = call + 2 == count && config_.lower_order_final && count < kFewSteps;
    return config_.order == 2 || history_.size() < 2 || lower_second ? 2 : 3;
  }

  at::Tensor Lambda(int k) const { return Level(sigmas_[k]).lambda; }

  at::Tensor AddThirdOrder(const at::Tensor& partial, const Factors& factors, int k,
                           const Level& here, const Level& next, const at::Tensor& m0) const {
    const at::Tensor h = next.lambda - here.lambda;
    const at::Tensor lambda1 = Lambda(k - 1);
    const at::Tensor r0 = (here.lambda - lambda1) / h;
    const at::Tensor r1 = (lambda1 - Lambda(k - 2)) / h;
    const at::Tensor a = 1.0 / r0 * (m0 - history_[0]);
    const at::Tensor b = 1.0 / r1 * (history_[0] - history_[1]);
    const at::Tensor d1 = a + r0 / (r0 + r1) * (a - b);
    const at::Tensor d2 = 1.0 / (r0 + r1) * (a - b);
    return partial + factors.d1 * d1 + factors.d2 * d2;
  }

  // The clean sample (++) or the noise that the model's output stands for, in x's own dtype.
  at::Tensor Convert(const at::Tensor& output, const at::Tensor& sample, const Level& s) const {
    if (config_.plus_plus()) {
      at::Tensor clean = output;
      if (config_.prediction_type == "epsilon") {
        clean = (sample - s.sigma * output) / s.alpha;
      } else if (config_.prediction_type == "v_prediction") {
        clean = s.alpha * sample - s.sigma * output;
      }
      return config_.threshold.enabled ? Threshold(config_.threshold, clean) : clean;
    }
    at::Tensor epsilon = output;
    if (config_.prediction_type == "sample") {
      epsilon = (sample - s.alpha * output) / s.sigma;
    } else if (config_.prediction_type == "v_prediction") {
      epsilon = s.alpha * output + s.sigma * sample;
    }
    if (!config_.threshold.enabled) return epsilon;
    const at::Tensor clean = Threshold(config_.threshold, (sample - s.sigma * epsilon) / s.alpha);
    return (sample - s.alpha * clean) / s.sigma;
  }

  void Remember(const at::Tensor& m0) {
    history_.insert(history_.begin(), m0);
    if (history_.size() >= static_cast<size_t>(config_.order)) history_.pop_back();
  }

  const SolverConfig config_;
  const at::Tensor alphas_cumprod_;
  const SigmaTable table_;
  at::Tensor sigmas_;                // timesteps + 1 levels, fp32, CPU
  std::vector<at::Tensor> history_;  // converted outputs, newest first, at most order - 1
};

}  // namespace

StatusOr<std::unique_ptr<Scheduler>> MakeDpmSolverMultistep(const nlohmann::json& json, double) {
  SchedulerKeys keys(json);
  SolverConfig config;
  config.betas = ReadBetaConfig(keys, /*has_zero_snr_key=*/true);
  config.spacing = ReadSpacingConfig(keys, config.betas.train_steps, "linspace");
  config.sigmas = ReadSigmaConfig(keys);
  config.threshold = ReadThresholdConfig(keys);
  config.prediction_type =
      keys.Choice("prediction_type", "epsilon", {"epsilon", "sample", "v_prediction"});
  // Old files name the algorithms of other classes; diffusers maps them to the defaults.
  config.algorithm =
      keys.Choice("algorithm_type", "dpmsolver++",
                  {"dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis"});
  if (config.algorithm == "deis") config.algorithm = "dpmsolver++";
  config.heun = keys.Choice("solver_type", "midpoint",
                            {"midpoint", "heun", "logrho", "bh1", "bh2"}) == "heun";
  config.order = keys.Integer("solver_order", 2, {1, 3});
  config.lower_order_final = keys.Flag("lower_order_final", true);
  config.euler_at_final = keys.Flag("euler_at_final", false);
  config.lu_lambdas = keys.Flag("use_lu_lambdas", false);
  config.lambda_min_clipped = keys.NumberOrInfinity(
      "lambda_min_clipped", -std::numeric_limits<double>::infinity(), {-1e6, 1e6});
  keys.Require("variance_type", nullptr);
  keys.Require("use_flow_sigmas", false);
  keys.Require("use_dynamic_shifting", false);
  if (!config.plus_plus() && config.sigmas.final_zero) {
    keys.Refuse("final_sigmas_type", "must be sigma_min with algorithm_type " + config.algorithm);
  }
  if (config.algorithm == "sde-dpmsolver" && config.order == 3) {
    keys.Refuse("solver_order", "must be 1 or 2 with algorithm_type sde-dpmsolver");
  }
  RETURN_IF_ERROR(keys.status());
  return std::unique_ptr<Scheduler>(
      std::make_unique<DpmSolverMultistep>(std::move(config), keys.effective()));
}

}  // namespace phasor::engine
