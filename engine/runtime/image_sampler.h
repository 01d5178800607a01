// One image's way through the steps: latents, a scheduler with its history, and a noise generator
// of its own, so that an image never depends on its neighbours.
// One thread. Step throws what LibTorch throws.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "engine/checkpoint/checkpoint.h"
#include "engine/random/noise_stream.h"
#include "engine/schedulers/scheduler.h"
#include "engine/tensor/torch.h"

namespace phasor::engine {

// The model's output for a scaled input at a timestep.
using DenoiseFunction = std::function<at::Tensor(const at::Tensor& input, double timestep)>;

class ImageSampler {
 public:
  struct Settings {
    nlohmann::json scheduler_config;
    SchedulerOptions scheduler;
    int steps = 0;
    std::vector<int64_t> latent_shape;  // [1, C, h, w]
    at::Device place = at::kCPU;        // of the latents; noise is drawn on the host everywhere
  };

  // Everything that a step changes.
  struct Position {
    at::Tensor latents;  // undefined before the first step
    SchedulerState history;
    at::Tensor noise;  // the generator's
  };

  static StatusOr<ImageSampler> Make(const Settings& settings, uint64_t seed);

  // Takes the place of the first draw; before the first step only.
  void SetInitialNoise(at::Tensor noise) { initial_noise_ = std::move(noise); }

  // Call k of the schedule. After an exception Load() the position from before.
  void Step(int k, const DenoiseFunction& denoise);

  Position Save() const;
  // INVALID_ARGUMENT names what does not fit; the sampler is then to be thrown away.
  Status Load(const Position& position);

  // Under names that begin with `prefix`.
  void Write(const std::string& prefix, Checkpoint* checkpoint) const;
  // DATA_LOSS; the sampler is then to be thrown away.
  Status Read(const std::string& prefix, const Checkpoint& checkpoint);

  const at::Tensor& latents() const { return latents_; }
  const Scheduler& scheduler() const { return *scheduler_; }

 private:
  ImageSampler(std::unique_ptr<Scheduler> scheduler, const Settings& settings, uint64_t seed);

  std::unique_ptr<Scheduler> scheduler_;
  std::vector<int64_t> shape_;
  at::Device place_;
  NoiseStream noise_;
  at::Tensor initial_noise_;  // undefined: drawn
  at::Tensor latents_;
};

}  // namespace phasor::engine
