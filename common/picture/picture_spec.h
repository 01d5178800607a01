// Everything that decides the pixels of a picture: what doors fill in, jobs carry, engines run and
// finished pictures tell. What each field is called, means and may be stands in one table
// (common/picture/parameters.h), from which everything else about it is made. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace phasor {

// A picture that somebody sent, by digest and place in the result store; its bytes never travel
// with a request.
struct StoredImage {
  std::string sha256;  // hex, of the encoded file; empty: no picture
  std::string blob;    // the store's name for it

  bool operator==(const StoredImage&) const = default;
};

// A low-rank adapter.
struct Lora {
  std::string name;
  double weight = 1;

  bool operator==(const Lora&) const = default;
};

// A ControlNet with its picture.
struct Control {
  std::string name;
  StoredImage image;
  double scale = 1;
  double start = 0;  // share of the steps
  double end = 1;    // share of the steps

  bool operator==(const Control&) const = default;
};

// The values here are the fixed defaults. They never change: a value that is at its default does
// not enter a fingerprint.
struct PictureSpec {
  std::string prompt;
  std::string negative_prompt;
  int width = 512;   // pixels
  int height = 512;  // pixels
  int steps = 25;
  double guidance_scale = 7.5;  // classifier-free guidance is on above 1
  double guidance_start = 0;    // share of the steps before guidance
  double guidance_end = 1;      // share of the steps from which on there is none
  double guidance_rescale = 0;  // phi of arXiv 2305.08891, 0 is off
  double eta = 0;               // DDIM's eta
  int clip_skip = 0;            // layers of the text encoder left out, 0 is none
  int images = 1;
  // Image i draws all its noise from a CPU generator seeded with seed + i, so an image does not
  // depend on its neighbours.
  uint64_t seed = 0;
  // A name or alias of a sampler (engine/api/schedulers.h); empty is the model's own.
  std::string scheduler;
  std::string timestep_spacing;  // empty is the model's own

  StoredImage init_image;
  StoredImage mask;
  double strength = 0.8;
  std::vector<Lora> loras;
  std::vector<Control> controls;

  bool operator==(const PictureSpec&) const = default;
};

}  // namespace phasor
