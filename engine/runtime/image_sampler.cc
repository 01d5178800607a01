#include "engine/runtime/image_sampler.h"

#include <utility>

#include "engine/runtime/checkpoint_tensors.h"
#include "engine/tensor/beside.h"

namespace phasor::engine {
namespace {

constexpr char kLatents[] = "latents";
constexpr char kNoise[] = "noise";
constexpr char kHistory[] = "history.";

// The part of `map` whose names begin with `prefix`, without it.
template <typename T>
std::map<std::string, const T*> Under(const std::map<std::string, T>& map,
                                      const std::string& prefix) {
  std::map<std::string, const T*> found;
  for (auto entry = map.lower_bound(prefix); entry != map.end() && entry->first.starts_with(prefix);
       ++entry) {
    found[entry->first.substr(prefix.size())] = &entry->second;
  }
  return found;
}

}  // namespace

ImageSampler::ImageSampler(std::unique_ptr<Scheduler> scheduler, const Settings& settings,
                           uint64_t seed)
    : scheduler_(std::move(scheduler)),
      shape_(settings.latent_shape),
      place_(settings.place),
      noise_(seed) {}

StatusOr<ImageSampler> ImageSampler::Make(const Settings& settings, uint64_t seed) {
  ASSIGN_OR_RETURN(std::unique_ptr<Scheduler> scheduler,
                   MakeScheduler(settings.scheduler_config, settings.scheduler));
  RETURN_IF_ERROR(scheduler->SetTimesteps(settings.steps));
  return ImageSampler(std::move(scheduler), settings, seed);
}

void ImageSampler::Step(int k, const DenoiseFunction& denoise) {
  at::Tensor latents = latents_;
  if (!latents.defined()) {
    const at::Tensor noise =
        initial_noise_.defined() ? initial_noise_ : noise_.Draw(shape_, at::kFloat);
    latents = Beside(noise, place_).mul(scheduler_->init_noise_sigma());
  }
  const at::Tensor output = denoise(scheduler_->ScaleInput(latents, k), scheduler_->timesteps()[k]);
  latents_ =
      scheduler_->Step(output, k, latents, [this](at::IntArrayRef shape, at::ScalarType dtype) {
        return Beside(noise_.Draw(shape, dtype), place_);
      });
}

ImageSampler::Position ImageSampler::Save() const {
  return {latents_, scheduler_->State(), noise_.State()};
}

Status ImageSampler::Load(const Position& position) {
  RETURN_IF_ERROR(scheduler_->SetState(position.history, shape_));
  RETURN_IF_ERROR(noise_.SetState(position.noise));
  latents_ = position.latents;
  return OkStatus();
}

void ImageSampler::Write(const std::string& prefix, Checkpoint* checkpoint) const {
  const Position position = Save();
  checkpoint->tensors[prefix + kLatents] = ToCheckpoint(position.latents);
  checkpoint->tensors[prefix + kNoise] = ToCheckpoint(position.noise);
  for (const auto& [name, tensor] : position.history.tensors) {
    checkpoint->tensors[prefix + kHistory + name] = ToCheckpoint(tensor);
  }
  for (const auto& [name, value] : position.history.counters) {
    checkpoint->counters[prefix + kHistory + name] = value;
  }
}

Status ImageSampler::Read(const std::string& prefix, const Checkpoint& checkpoint) {
  ASSIGN_OR_RETURN(const CheckpointTensor* const latents,
                   FindTensor(checkpoint, prefix + kLatents));
  ASSIGN_OR_RETURN(const CheckpointTensor* const noise, FindTensor(checkpoint, prefix + kNoise));
  if (latents->dtype != CheckpointDtype::kF32 || latents->shape != shape_) {
    return DataLoss("checkpoint: " + prefix + kLatents + " has another shape or type");
  }
  Position position{Beside(FromCheckpoint(*latents), place_), {}, FromCheckpoint(*noise)};
  for (const auto& [name, tensor] : Under(checkpoint.tensors, prefix + kHistory)) {
    position.history.tensors[name] = Beside(FromCheckpoint(*tensor), place_);
  }
  for (const auto& [name, value] : Under(checkpoint.counters, prefix + kHistory)) {
    position.history.counters[name] = *value;
  }
  if (const Status loaded = Load(position); !loaded.ok()) {
    return DataLoss("checkpoint: " + prefix + ": " + Message(loaded));
  }
  return OkStatus();
}

}  // namespace phasor::engine
