// PNDM (Liu et al. 2022, arXiv:2202.09778): pseudo linear multistep (PLMS), optionally started by
// pseudo Runge-Kutta (PRK) steps, as diffusers 0.42.1 scheduling_pndm.py. The schedule has more
// calls than steps: one more with skip_prk_steps, nine more without.
#include <algorithm>
#include <utility>

#include "engine/schedulers/betas.h"
#include "engine/schedulers/scheduler_base.h"
#include "engine/schedulers/timesteps.h"
#include "engine/tensor/rounded.h"

namespace phasor::engine {
namespace {

constexpr int kPrkCalls = 12;
constexpr int kHistory = 3;  // outputs that a later call can still use

struct PndmConfig {
  BetaConfig betas;
  SpacingConfig spacing;
  bool v_prediction = false;
  bool skip_prk_steps = false;
  bool set_alpha_to_one = false;
};

class PndmScheduler final : public SchedulerBase {
 public:
  PndmScheduler(PndmConfig config, nlohmann::json effective)
      : SchedulerBase("PNDMScheduler", std::move(effective)),
        config_(std::move(config)),
        alphas_cumprod_(AlphasCumprod(config_.betas, /*clamp_last=*/false)),
        final_alpha_(config_.set_alpha_to_one ? at::scalar_tensor(1.0, at::kFloat)
                                              : alphas_cumprod_[0]) {}

  Status SetTimesteps(int steps) override {
    RETURN_IF_ERROR(CheckSteps(steps, config_.betas.train_steps));
    if (!config_.skip_prk_steps && steps < 4) {
      return InvalidArgument("steps must be at least 4 for PNDM without skip_prk_steps, not " +
                             std::to_string(steps));
    }
    const std::vector<double> base = RoundedTimesteps(config_.spacing, steps);  // descending
    if (base.front() >= static_cast<double>(config_.betas.train_steps)) {
      return InvalidArgument(
          "steps: with this steps_offset the first timestep would be beyond "
          "num_train_timesteps; ask for fewer steps");
    }
    stride_ = config_.betas.train_steps / steps;
    timesteps_ = config_.skip_prk_steps ? PlmsTimesteps(base) : PrkTimesteps(base);
    memory_ = {};
    return OkStatus();
  }

  at::Tensor Step(const at::Tensor& model_output, int k, const at::Tensor& sample,
                  const NoiseSource& /*noise*/) override {
    CheckCall(k);
    // Worked out on a copy (tensors are shared) and kept only if nothing threw.
    Memory memory = memory_;
    const bool runge_kutta = !config_.skip_prk_steps && memory.counter < kPrkCalls;
    at::Tensor result = runge_kutta ? StepPrk(memory, model_output, Timestep(k), sample)
                                    : StepPlms(memory, model_output, Timestep(k), sample);
    ++memory.counter;
    memory_ = std::move(memory);
    return result;
  }

  SchedulerState State() const override {
    SchedulerState state;
    state.counters["counter"] = memory_.counter;
    for (size_t i = 0; i < memory_.outputs.size(); ++i) {
      state.tensors["ets" + std::to_string(i)] = memory_.outputs[i];
    }
    if (memory_.sample.defined()) state.tensors["sample"] = memory_.sample;
    if (memory_.sum.defined()) state.tensors["sum"] = memory_.sum;
    return state;
  }

  Status SetState(const SchedulerState& state, at::IntArrayRef sample_shape) override {
    Memory memory;
    const auto counter = state.counters.find("counter");
    if (counter == state.counters.end() || counter->second < 0 ||
        counter->second > static_cast<int64_t>(timesteps_.size())) {
      return InvalidArgument("scheduler state: counter is missing or not a call of the schedule");
    }
    memory.counter = counter->second;
    std::vector<std::string> names;
    for (size_t i = 0; i < OutputsAfter(memory.counter); ++i) {
      names.push_back("ets" + std::to_string(i));
    }
    const size_t outputs = names.size();
    if (HoldsSample(memory.counter)) names.push_back("sample");
    if (HoldsSum(memory.counter)) names.push_back("sum");
    ASSIGN_OR_RETURN(const std::vector<at::Tensor> tensors,
                     ReadState(state, names, {"counter"}, sample_shape));
    memory.outputs.assign(tensors.begin(), tensors.begin() + static_cast<std::ptrdiff_t>(outputs));
    if (HoldsSample(memory.counter)) memory.sample = tensors[outputs];
    if (HoldsSum(memory.counter)) memory.sum = tensors[outputs + 1];
    memory_ = std::move(memory);
    return OkStatus();
  }

 private:
  // What is remembered between calls.
  struct Memory {
    int64_t counter = 0;              // calls made
    std::vector<at::Tensor> outputs;  // newest first, at most kHistory ("ets")
    at::Tensor sample;                // where the current group of calls began
    at::Tensor sum;                   // weighted outputs of the current Runge-Kutta group
  };

  bool InPrk(int64_t counter) const { return !config_.skip_prk_steps && counter < kPrkCalls; }
  // Which parts of Memory are there after `counter` calls.
  bool HoldsSample(int64_t counter) const {
    return InPrk(counter) ? counter % 4 != 0 : config_.skip_prk_steps && counter == 1;
  }
  bool HoldsSum(int64_t counter) const { return InPrk(counter) && counter % 4 != 0; }
  size_t OutputsAfter(int64_t counter) const {
    if (InPrk(counter)) return static_cast<size_t>((counter + 3) / 4);
    if (!config_.skip_prk_steps) return kHistory;
    const int64_t appended = counter < 2 ? counter : counter - 1;  // the second call appends none
    return static_cast<size_t>(std::min<int64_t>(appended, kHistory));
  }

  // The second-highest timestep is visited twice: the first visit is corrected by the second.
  static std::vector<double> PlmsTimesteps(const std::vector<double>& base) {
    std::vector<double> timesteps = base;
    if (base.size() > 1) timesteps.insert(timesteps.begin() + 1, base[1]);
    return timesteps;
  }

  // Three groups of four calls over the highest four timesteps, then PLMS.
  std::vector<double> PrkTimesteps(const std::vector<double>& base) const {
    std::vector<double> points;  // ascending: b, b + half, for the highest four
    for (int i = 3; i >= 0; --i) {
      points.push_back(base[static_cast<size_t>(i)]);
      points.push_back(base[static_cast<size_t>(i)] + static_cast<double>(stride_ / 2));
    }
    points.pop_back();
    std::vector<double> timesteps;
    for (double point : points) timesteps.insert(timesteps.end(), 2, point);
    timesteps.erase(timesteps.begin());
    timesteps.pop_back();
    std::reverse(timesteps.begin(), timesteps.end());
    timesteps.insert(timesteps.end(), base.begin() + 3, base.end());
    return timesteps;
  }

  at::Tensor StepPrk(Memory& memory, const at::Tensor& output, int64_t t,
                     const at::Tensor& sample) const {
    const int64_t p = t - (memory.counter % 2 == 1 ? 0 : stride_ / 2);
    const int64_t group_start = Timestep(static_cast<int>(memory.counter / 4 * 4));
    at::Tensor combined = output;
    switch (memory.counter % 4) {
      case 0:
        memory.sum = 0 + 1.0 / 6 * output;
        PushOutput(memory, output);
        memory.sample = sample;
        break;
      case 3:
        combined = memory.sum + 1.0 / 6 * output;
        break;
      default:
        memory.sum = memory.sum + 1.0 / 3 * output;
    }
    at::Tensor result = Previous(memory.sample, group_start, p, combined);
    if (memory.counter % 4 == 3) {
      memory.sum.reset();
      memory.sample.reset();
    }
    return result;
  }

  at::Tensor StepPlms(Memory& memory, const at::Tensor& output, int64_t t,
                      const at::Tensor& sample) const {
    if (memory.counter == 1) {
      const at::Tensor combined = (output + memory.outputs[0]) / 2;
      at::Tensor result = Previous(memory.sample, t + stride_, t, combined);
      memory.sample.reset();
      return result;
    }
    const std::vector<at::Tensor> older = memory.outputs;
    PushOutput(memory, output);
    if (memory.counter == 0) memory.sample = sample;
    return Previous(sample, t, t - stride_, Combine(output, older));
  }

  // Adams-Bashforth over the newest output and up to three older ones, newest first.
  static at::Tensor Combine(const at::Tensor& e1, const std::vector<at::Tensor>& older) {
    switch (older.size()) {
      case 0:
        return e1;
      case 1:
        return (3 * e1 - older[0]) / 2;
      case 2:
        return (23 * e1 - 16 * older[0] + 5 * older[1]) / 12;
      default:
        return 1.0 / 24 * (55 * e1 - 59 * older[0] + 37 * older[1] - 9 * older[2]);
    }
  }

  static void PushOutput(Memory& memory, const at::Tensor& output) {
    memory.outputs.insert(memory.outputs.begin(), output);
    if (memory.outputs.size() > kHistory) memory.outputs.pop_back();
  }

  // Equation 9 of the paper: the sample at p from the one at t.
  at::Tensor Previous(const at::Tensor& sample, int64_t t, int64_t p, at::Tensor output) const {
    const at::Tensor alpha = alphas_cumprod_[t];
    const at::Tensor alpha_prev = p >= 0 ? alphas_cumprod_[p] : final_alpha_;
    const at::Tensor beta = 1 - alpha;
    const at::Tensor beta_prev = 1 - alpha_prev;
    if (config_.v_prediction) output = rounded::Sqrt(alpha) * output + rounded::Sqrt(beta) * sample;
    const at::Tensor scale = rounded::Sqrt(alpha_prev / alpha);
    const at::Tensor denominator =
        alpha * rounded::Sqrt(beta_prev) + rounded::Sqrt(alpha * beta * alpha_prev);
    return scale * sample - (alpha_prev - alpha) * output / denominator;
  }

  const PndmConfig config_;
  const at::Tensor alphas_cumprod_;
  const at::Tensor final_alpha_;
  int64_t stride_ = 1;
  Memory memory_;
};

}  // namespace

StatusOr<std::unique_ptr<Scheduler>> MakePndm(const nlohmann::json& json, double) {
  SchedulerKeys keys(json);
  PndmConfig config;
  config.betas = ReadBetaConfig(keys, /*has_zero_snr_key=*/false);
  config.spacing = ReadSpacingConfig(keys, config.betas.train_steps, "leading");
  config.v_prediction =
      keys.Choice("prediction_type", "epsilon", {"epsilon", "v_prediction"}) == "v_prediction";
  config.skip_prk_steps = keys.Flag("skip_prk_steps", false);
  config.set_alpha_to_one = keys.Flag("set_alpha_to_one", false);
  RETURN_IF_ERROR(keys.status());
  return std::unique_ptr<Scheduler>(
      std::make_unique<PndmScheduler>(std::move(config), keys.effective()));
}

}  // namespace phasor::engine
