#include "common/job/generate_spec.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace phasor::job {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

// Collects violations; each Check names the field, the rule and the value.
class Checks {
 public:
  void Range(const std::string& field, double value, double low, double high) {
    if (std::isfinite(value) && value >= low && value <= high) return;
    Add(field,
        "must be between " + Number(low) + " and " + Number(high) + ", got " + Number(value));
  }
  void Multiple(const std::string& field, int value, int of) {
    if (value % of == 0) return;
    Add(field, "must be a multiple of " + std::to_string(of) + ", got " + std::to_string(value));
  }
  void Text(const std::string& field, const std::string& text, uint64_t max_bytes) {
    if (text.size() > max_bytes) {
      Add(field, "has " + std::to_string(text.size()) + " bytes; the limit is " +
                     std::to_string(max_bytes));
    } else if (!IsValidText(text)) {
      Add(field, "must be UTF-8 without NUL characters");
    }
  }
  void Add(const std::string& field, const std::string& description) {
    violations_.push_back({field, description});
  }
  std::vector<FieldViolation> Take() { return std::move(violations_); }

 private:
  std::vector<FieldViolation> violations_;
};

// Length of the UTF-8 sequence at `p` (Unicode 15, table 3-7), 0 if malformed.
size_t SequenceLength(const unsigned char* p, size_t left) {
  const auto continues = [&](size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < left && p[i] >= low && p[i] <= high;
  };
  if (p[0] < 0x80) return 1;
  if (p[0] >= 0xC2 && p[0] <= 0xDF) return continues(1) ? 2 : 0;
  if (p[0] >= 0xE0 && p[0] <= 0xEF) {
    const unsigned char low = p[0] == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = p[0] == 0xED ? 0x9F : 0xBF;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    const unsigned char low = p[0] == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = p[0] == 0xF4 ? 0x8F : 0xBF;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool IsValidText(const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    if (bytes[i] == 0) return false;
    const size_t length = SequenceLength(bytes + i, text.size() - i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::vector<FieldViolation> Validate(const GenerateSpec& spec, const config::ModelCard& card) {
  const config::ModelLimits& limits = card.limits;
  Checks checks;
  checks.Text("prompt", spec.prompt, limits.max_prompt_bytes);
  checks.Text("negative_prompt", spec.negative_prompt, limits.max_prompt_bytes);
  checks.Range("width", spec.width, limits.min_size, limits.max_size);
  checks.Multiple("width", spec.width, limits.size_multiple);
  checks.Range("height", spec.height, limits.min_size, limits.max_size);
  checks.Multiple("height", spec.height, limits.size_multiple);
  checks.Range("steps", spec.steps, 1, limits.max_steps);
  checks.Range("guidance_scale", spec.guidance_scale, 0, limits.max_guidance_scale);
  checks.Range("guidance_rescale", spec.guidance_rescale, 0, 1);
  checks.Range("eta", spec.eta, 0, 1);
  checks.Range("clip_skip", spec.clip_skip, 0, limits.max_clip_skip);
  checks.Range("images", spec.images, 1, limits.max_images);
  checks.Range("preview_every", spec.preview_every, 0, limits.max_steps);
  return checks.Take();
}

int64_t Cost(const GenerateSpec& spec) {
  const double megapixels = spec.width * 1e-6 * spec.height;
  const double passes = spec.guidance_scale > 1 ? 2 : 1;
  const double cost = spec.steps * megapixels * spec.images * passes;
  return std::max<int64_t>(1, std::llround(cost));
}

}  // namespace phasor::job
