#include "common/picture/parameters.h"

#include <algorithm>
#include <iterator>

namespace phasor::picture {
namespace {

constexpr double kLargestSide = 16'384;  // pixels

constexpr Parameter<PictureSpec> kParameters[] = {
    {.name = "prompt",
     .field = &PictureSpec::prompt,
     .high = &Limits::max_prompt_bytes,
     .what = "what to draw"},
    {.name = "negative_prompt",
     .field = &PictureSpec::negative_prompt,
     .high = &Limits::max_prompt_bytes,
     .short_flag = "negative",
     .what = "what not to draw"},
    {.name = "width",
     .field = &PictureSpec::width,
     .origin = Default::kCard,
     .low = &Limits::min_size,
     .high = &Limits::max_size,
     .multiple = &Limits::size_multiple,
     .what = "pixels"},
    {.name = "height",
     .field = &PictureSpec::height,
     .origin = Default::kCard,
     .low = &Limits::min_size,
     .high = &Limits::max_size,
     .multiple = &Limits::size_multiple,
     .what = "pixels"},
    {.name = "steps",
     .field = &PictureSpec::steps,
     .origin = Default::kCard,
     .low = 1,
     .high = &Limits::max_steps,
     .what = "denoising steps"},
    {.name = "guidance_scale",
     .field = &PictureSpec::guidance_scale,
     .origin = Default::kCard,
     .low = 0,
     .high = &Limits::max_guidance_scale,
     .short_flag = "guidance",
     .what = "classifier-free guidance; on above 1"},
    {.name = "guidance_start",
     .field = &PictureSpec::guidance_start,
     .origin = Default::kCard,
     .low = 0,
     .high = 1,
     .what = "share of the steps before guidance"},
    {.name = "guidance_end",
     .field = &PictureSpec::guidance_end,
     .origin = Default::kCard,
     .low = 0,
     .high = 1,
     .what = "share of the steps from which on there is no guidance"},
    {.name = "guidance_rescale",
     .field = &PictureSpec::guidance_rescale,
     .origin = Default::kCard,
     .low = 0,
     .high = 1,
     .what = "how far the guided prediction gets the spread of the unguided one; 0 is off"},
    {.name = "eta",
     .field = &PictureSpec::eta,
     .low = 0,
     .high = 1,
     .what = "noise that DDIM adds at each step; other samplers have none"},
    {.name = "clip_skip",
     .field = &PictureSpec::clip_skip,
     .origin = Default::kCard,
     .low = 0,
     .high = &Limits::max_clip_skip,
     .what = "layers of the text encoder left out"},
    {.name = "seed",
     .field = &PictureSpec::seed,
     .origin = Default::kDrawn,
     .what = "of picture 0; picture i has seed + i"},
    {.name = "images",
     .field = &PictureSpec::images,
     .low = 1,
     .high = &Limits::max_images,
     .what = "pictures of each prompt"},
    {.name = "scheduler",
     .field = &PictureSpec::scheduler,
     .origin = Default::kCard,
     .what = "sampler: an alias or diffusers' class name, e.g. dpmpp_2m_karras"},
    {.name = "timestep_spacing",
     .field = &PictureSpec::timestep_spacing,
     .origin = Default::kCard,
     .words = "leading linspace trailing",
     .what = "how the sampler's steps lie in the training's; without a word the model's own"},
    {.name = "init_image",
     .field = &PictureSpec::init_image,
     .what = "picture to begin with",
     .planned = true},
    {.name = "mask",
     .field = &PictureSpec::mask,
     .what = "what of init_image is drawn anew: white",
     .planned = true},
    {.name = "strength",
     .field = &PictureSpec::strength,
     .low = 0,
     .high = 1,
     .what = "how far from init_image",
     .planned = true},
    {.name = "loras",
     .field = &PictureSpec::loras,
     .high = 8,
     .what = "low-rank adapters of the model's card",
     .planned = true},
    {.name = "controls",
     .field = &PictureSpec::controls,
     .high = 4,
     .what = "ControlNets of the model's card",
     .planned = true},
};

}  // namespace

const std::vector<Limit>& LimitTable() {
  static const std::vector<Limit> table = {
      {"min_size", &Limits::min_size, 8, kLargestSide},
      {"max_size", &Limits::max_size, 8, kLargestSide},
      {"size_multiple", &Limits::size_multiple, 8, 1'024},
      {"max_steps", &Limits::max_steps, 1, 1'000},
      {"max_images", &Limits::max_images, 1, 256},
      {"max_guidance_scale", &Limits::max_guidance_scale, 0, 1'000},
      {"max_prompt_bytes", &Limits::max_prompt_bytes, 1, 1 << 20},
      {"max_clip_skip", &Limits::max_clip_skip, 0, 64},
  };
  return table;
}

std::optional<double> Bound::In(const Limits& limits) const {
  if (const double* fixed = std::get_if<double>(&value_)) return *fixed;
  if (const LimitField* limit = std::get_if<LimitField>(&value_)) return ValueOf(limits, *limit);
  return std::nullopt;
}

std::string_view Bound::limit() const {
  const LimitField* mine = std::get_if<LimitField>(&value_);
  if (mine == nullptr) return {};
  for (const Limit& limit : LimitTable()) {
    if (limit.field == *mine) return limit.name;
  }
  return {};
}

const std::vector<Parameter<PictureSpec>>& Parameters() {
  static const std::vector<Parameter<PictureSpec>> table(std::begin(kParameters),
                                                         std::end(kParameters));
  return table;
}

const std::vector<Parameter<Lora>>& LoraParameters() {
  static const std::vector<Parameter<Lora>> table = {
      {.name = "name", .field = &Lora::name, .what = "of an adapter in the model's card"},
      {.name = "weight", .field = &Lora::weight, .low = -4, .high = 4, .what = "1 is as trained"},
  };
  return table;
}

const std::vector<Parameter<Control>>& ControlParameters() {
  static const std::vector<Parameter<Control>> table = {
      {.name = "name", .field = &Control::name, .what = "of a ControlNet in the model's card"},
      {.name = "image", .field = &Control::image, .what = "what it is to follow"},
      {.name = "scale", .field = &Control::scale, .low = 0, .high = 2, .what = "how closely"},
      {.name = "start",
       .field = &Control::start,
       .low = 0,
       .high = 1,
       .what = "share of the steps"},
      {.name = "end", .field = &Control::end, .low = 0, .high = 1, .what = "share of the steps"},
  };
  return table;
}

std::vector<std::string_view> Split(std::string_view words) {
  std::vector<std::string_view> all;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (end > 0) all.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return all;
}

const Parameter<PictureSpec>* FindParameter(std::string_view name) {
  for (const Parameter<PictureSpec>& parameter : Parameters()) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

}  // namespace phasor::picture
