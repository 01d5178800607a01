// What a model's card allows a request, and the table of these limits: their names in cards and
// protos, and how far a card may go, which is what the engine's arithmetic stands. Plain values;
// stateless functions, thread-safe.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

namespace phasor::picture {

struct Limits {
  int min_size = 64;      // pixels, either side
  int max_size = 1024;    // pixels, either side
  int size_multiple = 8;  // pixels
  int max_steps = 150;
  int max_images = 8;
  double max_guidance_scale = 50;
  int max_prompt_bytes = 8192;  // UTF-8, each of prompt and negative prompt
  int max_clip_skip = 4;

  bool operator==(const Limits&) const = default;
};

using LimitField = std::variant<int Limits::*, double Limits::*>;

struct Limit {
  std::string_view name;  // "max_steps"
  LimitField field;
  double low = 0;   // that a card may state
  double high = 0;  // that a card may state
};

const std::vector<Limit>& LimitTable();

double ValueOf(const Limits& limits, const LimitField& field);

// The largest of all: what no card may go beyond.
Limits WidestLimits();

}  // namespace phasor::picture
