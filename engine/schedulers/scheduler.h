// The sampler's seam: one subclass a file, named after diffusers' class.
//
// A scheduler is built from a parsed config, then SetTimesteps fixes the schedule; Step is then
// called for k = 0 .. num_steps()-1 in order. All tables and factors are fp32 in diffusers 0.42.1's
// operand order, and every operation is rounded once (engine/tensor/rounded.h): equal inputs give
// equal latents on every processor.
// Multistep history is explicit state: State()/SetState() carry it through a checkpoint.
// Step is atomic: if it throws (out of memory), the state is the one before the call; only the
// noise source may have advanced.
// One thread. Throws c10::Error on misuse; errors that a user can cause are a Status from
// MakeScheduler and SetTimesteps.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// Draws standard normal noise of a shape [B, ...] and dtype on the CPU. The run supplies it: row i
// comes from image i's own generator.
using NoiseSource = std::function<at::Tensor(at::IntArrayRef shape, at::ScalarType dtype)>;

// What a multistep scheduler remembers between steps.
struct SchedulerState {
  std::map<std::string, at::Tensor> tensors;  // e.g. "m0", "ets2"
  std::map<std::string, int64_t> counters;    // e.g. "counter"
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Fixes the schedule for `steps` inference steps and clears the history. INVALID_ARGUMENT if
  // steps is not in 1..num_train_timesteps, or if the config gives no usable schedule for it.
  virtual Status SetTimesteps(int steps) = 0;

  // The timestep given to the denoiser at each call, in order. PNDM has one more than `steps`.
  // Integral for the integer-timestep classes, fractional for the others.
  virtual const std::vector<double>& timesteps() const = 0;

  // Factor of the initial noise; valid after SetTimesteps.
  virtual double init_noise_sigma() const = 0;

  // The denoiser's input at call k. Identity for most classes.
  virtual at::Tensor ScaleInput(const at::Tensor& sample, int k) const = 0;

  // x_{k+1} from the model's output at call k.
  virtual at::Tensor Step(const at::Tensor& model_output, int k, const at::Tensor& sample,
                          const NoiseSource& noise) = 0;

  virtual SchedulerState State() const = 0;
  // Shapes are checked against `sample_shape`: INVALID_ARGUMENT names the entry.
  virtual Status SetState(const SchedulerState& state, at::IntArrayRef sample_shape) = 0;

  // diffusers' class name.
  virtual std::string ClassName() const = 0;
  // Everything that decides the numbers, canonical; part of the fingerprint.
  virtual nlohmann::json EffectiveConfig() const = 0;
};

struct SchedulerOptions {
  std::string name;  // alias or class name (engine/api/schedulers.h); empty: the file's class
  double eta = 0;    // DDIM
  // Goes before the file's values, as keyword arguments of diffusers' from_config do.
  nlohmann::json overrides = nlohmann::json::object();
  bool pipeline_fixups = true;  // steps_offset = 1 and clip_sample = false, as SD pipelines force
};

// Parses scheduler_config.json. Python writes -Infinity for an unset bound, which is no JSON:
// infinities become the strings "Infinity" and "-Infinity", which MakeScheduler reads as numbers.
StatusOr<nlohmann::json> ParseSchedulerConfig(const std::string& text);

// Builds a scheduler from scheduler_config.json with diffusers' rules for defaults and for
// handing one class's config to another: keys that stand in the file carry over, whichever class
// it names; keys that no class reads are ignored. The pipelines' fix-ups act on the file's own
// class first, as in diffusers, where a scheduler assigned later gets the fixed config.
// INVALID_ARGUMENT names the key.
StatusOr<std::unique_ptr<Scheduler>> MakeScheduler(const nlohmann::json& config,
                                                   const SchedulerOptions& options);

}  // namespace phasor::engine
