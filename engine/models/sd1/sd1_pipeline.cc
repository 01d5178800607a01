#include "engine/models/sd1/sd1_pipeline.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include "engine/api/schedulers.h"
#include "engine/models/clip/clip_tally.h"
#include "engine/models/sd1/guidance.h"
#include "engine/models/sd1/preview.h"
#include "engine/models/sd1/sd1_components.h"
#include "engine/models/unet/unet_tally.h"
#include "engine/models/vae/decoder_tally.h"
#include "engine/models/vae/tiling.h"
#include "engine/weights/digest.h"

namespace phasor::engine {
namespace {

constexpr int64_t kPipelineMultiple = 8;  // pixels: what diffusers asks of a size
// Latents of an image that a step has at a time: itself, its position from before, the scheduler's
// history, the denoiser's input and output.
constexpr int64_t kLatentsHeld = 8;
constexpr int64_t kPixelBytes = sizeof(float);  // of a decoded picture, per channel

bool Guided(const PictureSpec& spec) { return spec.guidance_scale > 1; }

// Rounded as diffusers' guiders do (guiders/classifier_free_guidance.py).
bool Guided(const PictureSpec& spec, const DenoiseStep& step) {
  const int end = spec.guidance_end < 1 ? static_cast<int>(spec.guidance_end * spec.steps)
                                        : step.count;  // PNDM has a call more than steps
  return Guided(spec) && step.index >= static_cast<int>(spec.guidance_start * spec.steps) &&
         step.index < end;
}

// How many of the steps have guidance.
int GuidedSteps(const PictureSpec& spec) {
  int guided = 0;
  for (int step = 0; step < spec.steps; ++step) {
    guided += Guided(spec, {.timestep = 0, .index = step, .count = spec.steps}) ? 1 : 0;
  }
  return guided;
}

struct Sd1Conditioning final : Conditioning {
  // Batch 2 (negative, positive) for steps with guidance, 1 for those without. The denoiser makes
  // each when it first needs it: before, it may not be there.
  std::optional<UnetContext> guided;
  std::optional<UnetContext> alone;
};

class Sd1Pipeline final : public Pipeline {
 public:
  Sd1Pipeline(Sd1Components components, LatentPreview preview, ModelInfo info)
      : parts_(std::move(components)), preview_(std::move(preview)), info_(std::move(info)) {}

  const ModelInfo& info() const override { return info_; }
  const nlohmann::json& scheduler_config() const override { return parts_.scheduler_config; }

  Status Check(const PictureSpec& spec) const override {
    const int64_t layers = parts_.text_encoder->config().layers;
    if (spec.clip_skip <= layers) return OkStatus();
    return InvalidArgument("clip_skip: must be at most " + std::to_string(layers) + ", got " +
                           std::to_string(spec.clip_skip));
  }

  std::vector<std::string> Warnings(const PictureSpec& spec) const override {
    std::vector<std::string> warnings = parts_.warnings;
    const int room = parts_.tokenizer.max_length() - 2;  // between begin and end
    const auto look = [&](const char* name, const std::string& text) {
      const int tokens = parts_.tokenizer.CountTokens(text);
      if (tokens <= room) return;
      warnings.push_back(std::string(name) + ": has " + std::to_string(tokens) +
                         " tokens, of which the model reads the first " + std::to_string(room));
    };
    look("prompt", spec.prompt);
    if (Guided(spec)) look("negative_prompt", spec.negative_prompt);
    return warnings;
  }

  const std::vector<ModelPart>& parts() const override { return parts_.parts; }

  Cuttable CuttableOf(const PictureSpec& spec) const override {
    const VaeConfig& vae = parts_.vae->config();
    return {.guidance = GuidedSteps(spec) > 0,
            .vae_tiles = TileSides(vae.sample_size, vae.scale(), spec.height, spec.width)};
  }

  PassPeak PassOf(UnitKind phase, const PictureSpec& spec, const Cuts& cuts,
                  const PassKernels& kernels) const override {
    const std::vector<int64_t> latents = LatentShape(spec);
    const int64_t tokens = parts_.tokenizer.max_length();
    const UnetConfig& unet = parts_.unet->config();
    const bool guided = GuidedSteps(spec) > 0;
    const int64_t contexts = (guided ? 2 : 0) + (GuidedSteps(spec) < spec.steps ? 1 : 0);
    Tally tally(kernels, parts_.dtype);
    tally.Take((Guided(spec) ? 2 : 1) * tokens * parts_.text_encoder->config().hidden_size);
    if (phase == UnitKind::kEncode) {
      TallyClip(tally, parts_.text_encoder->config(), tokens);
      return tally.Peak();
    }
    tally.Take(UnetContextValues(unet, {contexts, latents[2], latents[3], tokens}));
    tally.TakeBytes(kLatentsHeld * spec.images * latents[1] * latents[2] * latents[3] *
                    static_cast<int64_t>(sizeof(float)));
    if (phase == UnitKind::kStep) {
      const int64_t batch = guided && !cuts.split_guidance ? 2 : 1;
      TallyUnet(tally, unet, {batch, latents[2], latents[3], tokens});
    }
    if (phase == UnitKind::kDecode && !cuts.decode_on_host) TallyDecode(tally, spec, cuts.vae_tile);
    return tally.Peak();
  }

  std::unique_ptr<Conditioning> Encode(const PictureSpec& spec) override {
    auto conditioning = std::make_unique<Sd1Conditioning>();
    conditioning->positive = EncodeText(spec.prompt, spec.clip_skip);
    // Clip skip is for the prompt alone: diffusers' encode_prompt leaves the negative as it is.
    if (Guided(spec)) conditioning->negative = EncodeText(spec.negative_prompt, 0);
    return conditioning;
  }

  std::string TextKey(const PictureSpec& spec) const override {
    // Sizes before texts: no two requests have one key.
    std::string key = std::to_string(spec.clip_skip) + " " + std::to_string(spec.prompt.size());
    key.append(" ").append(spec.prompt);
    if (Guided(spec)) key.append(" ").append(spec.negative_prompt);
    return key.append(Guided(spec) ? "+" : "-");
  }

  std::unique_ptr<Conditioning> Condition(std::vector<at::Tensor> tensors) override {
    auto conditioning = std::make_unique<Sd1Conditioning>();
    conditioning->positive = std::move(tensors.at(0));
    conditioning->negative = std::move(tensors.at(1));
    return conditioning;
  }

  std::vector<int64_t> LatentShape(const PictureSpec& spec) const override {
    const int64_t scale = parts_.vae->config().scale();
    return {1, parts_.unet->config().in_channels, spec.height / scale, spec.width / scale};
  }

  at::Tensor Denoise(const PictureSpec& spec, const at::Tensor& latents, const DenoiseStep& step,
                     Conditioning& conditioning) override {
    const bool is_guided = Guided(spec, step);
    const UnetContext& context = ContextOf(static_cast<Sd1Conditioning&>(conditioning), is_guided);
    const at::Tensor time = at::scalar_tensor(step.timestep, at::kFloat);
    if (!is_guided) return Predict(latents, time, context);
    std::vector<at::Tensor> halves;  // negative, positive
    if (step.split_guidance) {
      halves = {Predict(latents, time, context.Of(0)), Predict(latents, time, context.Of(1))};
    } else {
      halves = Predict(at::cat({latents, latents}), time, context).chunk(2);
    }
    const at::Tensor guided = Guide(halves[0], halves[1], spec.guidance_scale);
    if (spec.guidance_rescale == 0) return guided;
    return RescaleGuided(guided, halves[1], spec.guidance_rescale);
  }

  at::Tensor Decode(const at::Tensor& latents, int tile) override {
    const AutoencoderKl& vae = *parts_.vae;
    const at::Tensor scaled = latents.div(vae.config().scaling_factor).to(parts_.dtype);
    const int64_t scale = vae.config().scale();
    if (tile == 0 || tile / scale >= std::max(scaled.size(2), scaled.size(3))) {
      return vae.Decode(scaled).to(at::kFloat);
    }
    return DecodeTiled({.tile = tile / scale, .scale = scale}, scaled,
                       [&vae](const at::Tensor& part) { return vae.Decode(part).to(at::kFloat); });
  }

  at::Tensor Preview(const at::Tensor& latents) const override {
    return preview_.Render(latents.to(at::kCPU));
  }

 private:
  // fp32 in and out: the schedulers' arithmetic does not depend on the networks' type.
  at::Tensor Predict(const at::Tensor& latents, const at::Tensor& time,
                     const UnetContext& context) const {
    return parts_.unet->Forward(latents.to(parts_.dtype), time, context).to(at::kFloat);
  }

  void TallyDecode(Tally& tally, const PictureSpec& spec, int tile) const {
    const VaeConfig& vae = parts_.vae->config();
    const int64_t height = spec.height, width = spec.width, scale = vae.scale();
    if (tile == 0 || tile >= std::max(height, width)) {
      TallyDecoder(tally, vae, height / scale, width / scale);
      return;
    }
    // At the end the picture is turned into bytes.
    const int64_t picture = kPixelBytes * vae.out_channels * height * width;
    tally.TakeBytes(picture);
    tally.NeedBytes(picture + picture / 2);
    // Two rows of tiles are held while the second one comes; the others are like it.
    const int64_t stride = tile - tile / 4;
    for (int64_t top = 0; top < std::min(height, 2 * stride); top += stride) {
      for (int64_t left = 0; left < width; left += stride) {
        const int64_t h = std::min<int64_t>(tile, height - top);
        const int64_t w = std::min<int64_t>(tile, width - left);
        TallyDecoder(tally, vae, h / scale, w / scale);
        tally.Give(vae.out_channels * h * w);
        tally.TakeBytes(kPixelBytes * vae.out_channels * h * w);
      }
    }
  }

  const UnetContext& ContextOf(Sd1Conditioning& conditioning, bool guided) const {
    std::optional<UnetContext>& context = guided ? conditioning.guided : conditioning.alone;
    if (context) return *context;
    at::Tensor text = conditioning.positive;
    if (guided) text = at::cat({conditioning.negative, text});  // [2, S, D]
    return context.emplace(parts_.unet->Prepare(text));
  }

  // [1, S, D]
  at::Tensor EncodeText(const std::string& text, int clip_skip) const {
    const std::vector<int64_t> ids = parts_.tokenizer.Encode(text);
    return parts_.text_encoder->Encode(at::tensor(ids, at::kLong).unsqueeze(0), clip_skip);
  }

  const Sd1Components parts_;
  const LatentPreview preview_;
  const ModelInfo info_;
};

StatusOr<ModelInfo> Describe(const PipelineSource& source, const Sd1Components& parts) {
  ModelInfo info;
  info.name = source.card.name;
  info.family = "sd1";
  ASSIGN_OR_RETURN(info.digest,
                   DigestOfFiles(parts.files, source.card.sha256, source.cache_directory,
                                 kDigestCacheFrom, source.on_part));
  info.default_width = source.card.defaults.width;
  info.default_height = source.card.defaults.height;
  info.size_multiple =
      static_cast<int>(std::max<int64_t>(kPipelineMultiple, parts.vae->config().scale()));
  info.weight_bytes = parts.weight_bytes;
  for (const SchedulerName& name : SchedulerNames()) {
    const std::string class_name(name.class_name);
    const bool listed = std::find(info.schedulers.begin(), info.schedulers.end(), class_name) !=
                        info.schedulers.end();
    if (!listed) info.schedulers.push_back(class_name);
  }
  return info;
}

}  // namespace

StatusOr<std::unique_ptr<Pipeline>> LoadSd1Pipeline(const PipelineSource& source) {
  ASSIGN_OR_RETURN(Sd1Components parts, LoadSd1Components(source));
  StatusOr<LatentPreview> preview =
      LatentPreview::Make(source.card.preview, parts.vae->config().latent_channels);
  if (!preview.ok()) return Annotate(preview.status(), source.directory + "/phasor.yaml");
  ASSIGN_OR_RETURN(ModelInfo info, Describe(source, parts));
  return std::unique_ptr<Pipeline>(
      std::make_unique<Sd1Pipeline>(std::move(parts), *std::move(preview), std::move(info)));
}

}  // namespace phasor::engine
