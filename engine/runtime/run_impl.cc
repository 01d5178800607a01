#include "engine/runtime/run_impl.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "common/base/hash.h"
#include "engine/device/counted_memory.h"
#include "engine/runtime/degradation_text.h"
#include "engine/runtime/finite.h"
#include "engine/runtime/guard.h"
#include "engine/runtime/to_image.h"

namespace phasor::engine {
namespace {

// Bounds of a checkpoint: no scheduler remembers more than five samples beside the latents.
constexpr uint64_t kMaxTensorsPerImage = 8;
constexpr uint64_t kMaxOverheadPerImage = 16 << 10;  // generator position, names, counters
constexpr uint64_t kMaxOverhead = (4 << 10) + kMaxDegradationText;  // and header, digest

NamedTensor ToNamed(std::string name, const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kCPU, at::kFloat).contiguous();
  const float* values = plain.const_data_ptr<float>();
  return {std::move(name), plain.sizes().vec(), {values, values + plain.numel()}};
}

std::string ShapeText(at::IntArrayRef shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

// OUT_OF_RANGE: no other try ends otherwise, for the same weights and settings give the same.
Status NotFinite(const std::string& what) {
  return MakeStatus(
      StatusCode::kOutOfRange,
      what +
          " not all finite numbers: the model's weights are broken, or these settings "
          "are more than it can take");
}

int64_t Count(at::IntArrayRef shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

}  // namespace

RunImpl::RunImpl(RunEnvironment environment, PictureSpec spec, ImageSampler::Settings settings,
                 std::vector<ImageSampler> samplers)
    : environment_(std::move(environment)),
      spec_(std::move(spec)),
      settings_(std::move(settings)),
      samplers_(std::move(samplers)),
      memory_({*environment_.pipeline, *environment_.residency, *environment_.calibration,
               *environment_.device, environment_.make_room},
              spec_, environment_.strategy, environment_.cuts) {
  const nlohmann::json effective = samplers_.front().scheduler().EffectiveConfig();
  report_.scheduler = samplers_.front().scheduler().ClassName();
  report_.karras_sigmas = effective.value("use_karras_sigmas", false);
  report_.eta = effective.value("eta", 0.0);
  report_.device = environment_.device->name();
  report_.device_bytes = environment_.device->Memory().capacity;
  report_.warnings = environment_.pipeline->Warnings(spec_);
  report_.warnings.insert(report_.warnings.end(), environment_.warnings.begin(),
                          environment_.warnings.end());
  UpdateFingerprint();
}

StatusOr<std::unique_ptr<Run>> RunImpl::Make(RunEnvironment environment, const PictureSpec& spec) {
  return Guard([&]() -> StatusOr<std::unique_ptr<Run>> {
    const Pipeline& pipeline = *environment.pipeline;
    RETURN_IF_ERROR(pipeline.Check(spec));
    const WeightForm form = environment.strategy.form;
    ASSIGN_OR_RETURN(const std::vector<std::string> told, environment.residency->Bring(form));
    environment.warnings.insert(environment.warnings.end(), told.begin(), told.end());
    if (form != WeightForm::kPlain) environment.facts.weights = NameOf(Strategy::kFull, form);
    ImageSampler::Settings settings;
    settings.scheduler_config = pipeline.scheduler_config();
    settings.scheduler.name = spec.scheduler;
    settings.scheduler.eta = spec.eta;
    if (!spec.timestep_spacing.empty()) {
      settings.scheduler.overrides["timestep_spacing"] = spec.timestep_spacing;
    }
    settings.steps = spec.steps;
    settings.latent_shape = pipeline.LatentShape(spec);
    settings.place = environment.device->place();
    ASSIGN_OR_RETURN(std::vector<ImageSampler> samplers, MakeSamplers(settings, spec));
    return std::unique_ptr<Run>(
        new RunImpl(std::move(environment), spec, std::move(settings), std::move(samplers)));
  });
}

StatusOr<std::vector<ImageSampler>> RunImpl::MakeSamplers(const ImageSampler::Settings& settings,
                                                          const PictureSpec& spec) {
  std::vector<ImageSampler> samplers;
  for (int i = 0; i < spec.images; ++i) {
    ASSIGN_OR_RETURN(ImageSampler sampler, ImageSampler::Make(settings, spec.seed + i));
    samplers.push_back(std::move(sampler));
  }
  return samplers;
}

int RunImpl::step_count() const {
  return static_cast<int>(samplers_.front().scheduler().timesteps().size());
}

void RunImpl::UpdateFingerprint() {
  const nlohmann::json scheduler = samplers_.front().scheduler().EffectiveConfig();
  const auto of = [&](const PictureSpec& spec, const CutsTaken& cuts) {
    return Fingerprint(environment_.facts, environment_.pipeline->info(), scheduler, spec,
                       initial_noise_, cuts);
  };
  identity_ = of(spec_, {});
  report_.fingerprint = of(spec_, memory_.taken());
  report_.picture_fingerprints.clear();
  for (size_t i = 0; i < samplers_.size(); ++i) {
    PictureSpec alone = spec_;
    alone.images = 1;
    alone.seed += i;
    CutsTaken cuts{memory_.taken().split_guidance_from, {}};
    if (i < memory_.taken().vae_tiles.size()) cuts.vae_tiles = {memory_.taken().vae_tiles[i]};
    report_.picture_fingerprints.push_back(of(alone, cuts));
  }
}

RunReport RunImpl::Report() const {
  RunReport report = report_;
  report.strategy = memory_.plan().name();
  report.degradations = memory_.degradations();
  report.degradations_before = memory_.degradations_before();
  return report;
}

Unit RunImpl::Next() const {
  Unit unit;
  const int decoded = static_cast<int>(images_.size());
  if (step_ < step_count() && conditioning_ == nullptr) {
    unit = {UnitKind::kEncode, 0, 1};
  } else if (step_ < step_count()) {
    unit = {UnitKind::kStep, step_, step_count()};
  } else if (decoded < spec_.images) {
    unit = {UnitKind::kDecode, decoded, spec_.images};
  }
  const bool recalls = unit.kind == UnitKind::kEncode && Remembers();
  if (!recalls) unit.predicted_peak_bytes = memory_.plan().peak_bytes(unit.kind);
  unit.predicted_seconds = environment_.costs->Predict(spec_, unit.kind);
  return unit;
}

Status RunImpl::Advance() {
  const Unit unit = Next();
  if (unit.kind == UnitKind::kDone) return FailedPrecondition("the run is done");
  const SteadyTime begin = environment_.clock->Steady();
  const FetchCount before = environment_.residency->Fetched();
  double moved_seconds = 0;
  RETURN_IF_ERROR(memory_.Do(unit, [&] {
    return Annotate(Guard([&] { return Do(unit, &moved_seconds); }), Describe(unit));
  }));
  const double seconds = SecondsBetween(begin, environment_.clock->Steady());
  const bool recalled = unit.kind == UnitKind::kEncode && report_.embeddings_recalled == true;
  if (!recalled) environment_.costs->Add(spec_, unit.kind, seconds);
  const FetchCount after = environment_.residency->Fetched();
  report_.units.push_back({unit.kind, unit.index, seconds, environment_.device->Memory().peak,
                           unit.predicted_peak_bytes, after.bytes - before.bytes,
                           after.waited_seconds - before.waited_seconds, moved_seconds});
  if (!memory_.taken().none()) UpdateFingerprint();
  return OkStatus();
}

// "denoising step 3 of 20, 512x512": so that no library's text stands alone.
std::string RunImpl::Describe(const Unit& unit) const {
  const std::string which = std::to_string(unit.index + 1) + " of " + std::to_string(unit.count);
  const std::string size = std::to_string(spec_.width) + "x" + std::to_string(spec_.height);
  switch (unit.kind) {
    case UnitKind::kEncode:
      return "encoding the prompt";
    case UnitKind::kStep:
      return "denoising step " + which + ", " + size;
    case UnitKind::kDecode:
      return "decoding picture " + which + ", " + size;
    case UnitKind::kDone:
      break;
  }
  return "done";
}

bool RunImpl::Remembers() const {
  return environment_.embeddings != nullptr &&
         environment_.embeddings->Has(environment_.pipeline->TextKey(spec_));
}

bool RunImpl::Recall() {
  if (environment_.embeddings == nullptr) return false;
  std::vector<at::Tensor> known = environment_.embeddings->Find(
      environment_.pipeline->TextKey(spec_), environment_.device->place());
  report_.embeddings_recalled = !known.empty();
  if (known.empty()) return false;
  conditioning_ = environment_.pipeline->Condition(std::move(known));
  return true;
}

Status RunImpl::Do(const Unit& unit, double* moved_seconds) {
  if (unit.kind == UnitKind::kEncode && Recall()) return OkStatus();
  const SteadyTime begin = environment_.clock->Steady();
  if (environment_.residency->Enter(memory_.plan(), unit.kind)) {
    *moved_seconds += SecondsBetween(begin, environment_.clock->Steady());
  }
  switch (unit.kind) {
    case UnitKind::kEncode:
      return Encode();
    case UnitKind::kStep:
      return Step(unit.index);
    case UnitKind::kDecode:
      return Decode(unit.index);
    case UnitKind::kDone:
      break;
  }
  return FailedPrecondition("the run is done");
}

Status RunImpl::Encode() {
  auto conditioning = environment_.pipeline->Encode(spec_);
  const at::Tensor& negative = conditioning->negative;
  if (!AllFinite(conditioning->positive) || (negative.defined() && !AllFinite(negative))) {
    return NotFinite("the prompt's embeddings are");
  }
  if (const std::string key = environment_.pipeline->TextKey(spec_);
      environment_.embeddings != nullptr && !key.empty()) {
    environment_.embeddings->Put(key, conditioning->Tensors());
  }
  conditioning_ = std::move(conditioning);
  return OkStatus();
}

Status RunImpl::Decode(int index) {
  std::optional<MemoryScope> host;
  at::Tensor latents = samplers_[index].latents();
  if (memory_.cuts().decode_on_host) {
    host.emplace(MemoryKind::kHost);
    latents = latents.to(at::kCPU);
  }
  const at::Tensor decoded = environment_.pipeline->Decode(latents, memory_.cuts().vae_tile);
  if (!AllFinite(decoded)) return NotFinite("the picture's values are");
  images_.push_back(ToImage(decoded));
  return OkStatus();
}

Status RunImpl::Step(int k) {
  std::vector<ImageSampler::Position> before;
  for (const ImageSampler& sampler : samplers_) before.push_back(sampler.Save());
  // A card is not waited for between steps: what is no number stays none until the last one.
  const bool look = settings_.place.is_cpu() || k + 1 == step_count();
  double seconds = 0;
  const DenoiseFunction denoise = [&](const at::Tensor& input, double timestep) {
    const SteadyTime begin = environment_.clock->Steady();
    const DenoiseStep step = {timestep, k, step_count(), memory_.cuts().split_guidance};
    at::Tensor output = environment_.pipeline->Denoise(spec_, input, step, *conditioning_);
    seconds += SecondsBetween(begin, environment_.clock->Steady());
    return output;
  };
  const Status done = Guard([&] {
    for (ImageSampler& sampler : samplers_) {
      sampler.Step(k, denoise);
      if (look && !AllFinite(sampler.latents())) return NotFinite("the latents are");
    }
    return OkStatus();
  });
  if (!done.ok()) {
    for (size_t i = 0; i < samplers_.size(); ++i) {
      RETURN_IF_ERROR(Annotate(samplers_[i].Load(before[i]), "going back after: " + Message(done)));
    }
    return done;
  }
  ++step_;
  report_.denoiser_seconds += seconds;
  return OkStatus();
}

StatusOr<std::string> RunImpl::Snapshot() const {
  if (step_ == 0) return FailedPrecondition("no snapshot before the first step");
  if (!images_.empty()) return FailedPrecondition("no snapshot once decoding has begun");
  return Guard([&]() -> StatusOr<std::string> {
    Checkpoint checkpoint{identity_, static_cast<uint32_t>(step_), {}, {}};
    memory_.Write(&checkpoint);
    for (size_t i = 0; i < samplers_.size(); ++i) {
      const at::Tensor& latents = samplers_[i].latents();
      if (!latents.is_cpu() && !AllFinite(latents)) return NotFinite("the latents are");
      samplers_[i].Write(std::to_string(i) + ".", &checkpoint);
    }
    return WriteCheckpoint(checkpoint);
  });
}

uint64_t RunImpl::MaxCheckpointBytes() const {
  const uint64_t tensor = Count(settings_.latent_shape) * sizeof(float);
  return kMaxOverhead + spec_.images * (kMaxTensorsPerImage * tensor + kMaxOverheadPerImage);
}

Status RunImpl::Restore(std::string_view snapshot) {
  if (begun()) return FailedPrecondition("the run has begun");
  return Guard([&]() -> Status {
    ASSIGN_OR_RETURN(const Checkpoint checkpoint,
                     ReadCheckpoint(snapshot, {identity_, MaxCheckpointBytes(),
                                               static_cast<uint32_t>(step_count())}));
    if (checkpoint.step == 0) return DataLoss("checkpoint: of step 0");
    ASSIGN_OR_RETURN(std::vector<ImageSampler> samplers, MakeSamplers(settings_, spec_));
    for (size_t i = 0; i < samplers.size(); ++i) {
      RETURN_IF_ERROR(samplers[i].Read(std::to_string(i) + ".", checkpoint));
    }
    RETURN_IF_ERROR(memory_.Read(checkpoint));
    samplers_ = std::move(samplers);
    step_ = static_cast<int>(checkpoint.step);
    UpdateFingerprint();
    report_.resumed = true;
    report_.resumed_from_step = step_;
    return OkStatus();
  });
}

StatusOr<Image> RunImpl::Preview(int index) const {
  if (index < 0 || index >= spec_.images) {
    return InvalidArgument("preview: no image " + std::to_string(index) + ", the run has " +
                           std::to_string(spec_.images));
  }
  if (step_ == 0) return FailedPrecondition("preview: there are no latents before the first step");
  return Guard([&]() -> StatusOr<Image> {
    return ToImage(environment_.pipeline->Preview(samplers_[index].latents()));
  });
}

StatusOr<NamedTensor> RunImpl::Latents() const {
  if (step_ == 0) return FailedPrecondition("there are no latents before the first step");
  return Guard([&]() -> StatusOr<NamedTensor> {
    std::vector<at::Tensor> latents;
    for (const ImageSampler& sampler : samplers_) latents.push_back(sampler.latents());
    return ToNamed("latents", at::cat(latents));
  });
}

StatusOr<std::vector<NamedTensor>> RunImpl::Embeddings() const {
  if (conditioning_ == nullptr) {
    return FailedPrecondition("there are no embeddings before the encode unit");
  }
  return Guard([&]() -> StatusOr<std::vector<NamedTensor>> {
    std::vector<NamedTensor> embeddings = {ToNamed("prompt_embeds", conditioning_->positive)};
    if (conditioning_->negative.defined()) {
      embeddings.push_back(ToNamed("negative_prompt_embeds", conditioning_->negative));
    }
    return embeddings;
  });
}

Status RunImpl::SetInitialNoise(const NamedTensor& latents) {
  if (step_ > 0) return FailedPrecondition("latents: the first step is done");
  std::vector<int64_t> expected = settings_.latent_shape;
  expected[0] = spec_.images;
  if (latents.shape != expected || static_cast<int64_t>(latents.values.size()) != Count(expected)) {
    return InvalidArgument("latents: must be " + ShapeText(expected) + " for this request, got " +
                           ShapeText(latents.shape));
  }
  return Guard([&] {
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(latents.values.begin(), latents.values.end(), finite)) {
      return InvalidArgument("latents: must be finite numbers");
    }
    const size_t bytes = latents.values.size() * sizeof(float);
    at::Tensor noise = at::empty(expected, at::kFloat);
    std::memcpy(noise.mutable_data_ptr(), latents.values.data(), bytes);
    for (size_t i = 0; i < samplers_.size(); ++i) {
      samplers_[i].SetInitialNoise(noise.slice(0, i, i + 1).clone());
    }
    const auto* raw = reinterpret_cast<const char*>(latents.values.data());
    initial_noise_ = Sha256Hex({raw, bytes});
    UpdateFingerprint();
    return OkStatus();
  });
}

}  // namespace phasor::engine
